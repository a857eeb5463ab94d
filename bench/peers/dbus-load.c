/**
 * The load of bench/dbus.ts, all of it in processes of their own:
 *
 *   dbus-load PATH PID SECONDS call BYTES IN-FLIGHT     a caller and a service that answers
 *   dbus-load PATH PID SECONDS signal BYTES RECEIVERS   signals from one to many
 *   dbus-load PATH PID SECONDS rules COUNT              rules that match nothing, until stdin ends
 *
 * PID is the bus: CPU time is what its threads have used, and what these processes have, between the
 * end of the warming up and the end. Prints a line of JSON; microseconds are for one call, or for one
 * delivery.
 */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dbus-wire.h"

#define RECEIVERS_MAX 64
/** Signals that a sender may be ahead of the slowest receiver, and that it sends at once. */
#define AHEAD_BYTES (1 << 20)
#define AHEAD_MAX 256
#define BURST 16
#define NAME "org.nlkit.Bench"
#define PATH "/org/nlkit/Bench"
#define LATENCIES 65536
/** Rules of one connection. */
#define RULES_EACH 10000

struct shared {
  volatile unsigned long ready;
  struct {
    volatile unsigned long count;
    char apart[120];
  } received[RECEIVERS_MAX];
};

static struct shared *shared;
static pid_t children[RECEIVERS_MAX];
static int child_count;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/** Seconds that a process's threads have run. */
static double process_cpu(pid_t pid) {
  char name[300];
  double sum = 0;
  snprintf(name, sizeof name, "/proc/%d/task", (int)pid);
  DIR *tasks = opendir(name);
  if (tasks == NULL) return 0;
  for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
    unsigned long long nanoseconds;
    if (task->d_name[0] == '.') continue;
    snprintf(name, sizeof name, "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
    FILE *file = fopen(name, "r");
    if (file == NULL) continue;
    if (fscanf(file, "%llu", &nanoseconds) == 1) sum += (double)nanoseconds / 1e9;
    fclose(file);
  }
  closedir(tasks);
  return sum;
}

static double clients_cpu(void) {
  double sum = process_cpu(getpid());
  for (int i = 0; i < child_count; i++) sum += process_cpu(children[i]);
  return sum;
}

/** Starts a process that ends with this one. */
static int begin_child(void) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    return 1;
  }
  children[child_count++] = pid;
  return 0;
}

static void end_children(void) {
  for (int i = 0; i < child_count; i++) {
    kill(children[i], SIGKILL);
    waitpid(children[i], NULL, 0);
  }
}

static void wait_until_ready(unsigned long count) {
  for (double start = now(); shared->ready < count; usleep(1000)) {
    if (now() - start < 30) continue;
    fprintf(stderr, "the others did not connect\n");
    exit(1);
  }
}

static void serve(const char *path, size_t size, size_t in_flight) {
  struct connection *bus = connection_open(path);
  size_t room = (size + HEADER_ROOM) * in_flight + HEADER_ROOM;
  char *out = malloc(room);
  connection_ask(bus, "RequestName", NAME, 0);
  shared->ready = 1;
  for (;;) {
    size_t length;
    size_t filled = 0;
    char *call = connection_next(bus, &length, 1);
    for (; call != NULL; call = connection_next(bus, &length, 0)) {
      if (call[1] != METHOD_CALL) continue;
      size_t body = message_word(call, 4);
      if (filled + body + HEADER_ROOM > room) {
        connection_write(bus, out, filled);
        filled = 0;
      }
      struct message answer = {.type = METHOD_RETURN,
                               .flags = 1,
                               .serial = ++bus->serial,
                               .destination = message_field(call, FIELD_SENDER),
                               .reply_serial = message_word(call, 8),
                               .signature = "s",
                               .body = call + length - body,
                               .body_length = body};
      filled += message_put(out + filled, &answer);
    }
    if (filled > 0) connection_write(bus, out, filled);
  }
}

static char *text_of(size_t size) {
  char *text = malloc(size + 1);
  memset(text, 'x', size);
  text[size] = 0;
  return text;
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a;
  float y = *(const float *)b;
  return (x > y) - (x < y);
}

/** What is measured: from the end of the warming up, a quarter of the time. */
struct measurement {
  pid_t bus;
  double seconds;
  double start;
  double bus_cpu;
  double clients_cpu;
  int is_warm;
};

static struct measurement measurement_begin(pid_t bus, double seconds) {
  return (struct measurement){.bus = bus, .seconds = seconds, .start = now()};
}

/** Whether the warming up has just ended. */
static int measurement_warms(struct measurement *it, double time) {
  if (it->is_warm || time - it->start < it->seconds / 4) return 0;
  it->is_warm = 1;
  it->bus_cpu = process_cpu(it->bus);
  it->clients_cpu = clients_cpu();
  it->start = now();
  return 1;
}

static int measurement_is_over(const struct measurement *it, double time) {
  return it->is_warm && time - it->start >= it->seconds;
}

static void measurement_print(const struct measurement *it, double count, double p50, double p99) {
  double elapsed = now() - it->start;
  double bus = process_cpu(it->bus) - it->bus_cpu;
  double clients = clients_cpu() - it->clients_cpu;
  printf("{\"perSecond\":%.0f,\"us\":%.3f,\"busUs\":%.3f,\"allUs\":%.3f,\"p50\":%.1f,\"p99\":%.1f}\n",
         count / elapsed, elapsed / count * 1e6, bus / count * 1e6, (bus + clients) / count * 1e6,
         p50, p99);
}

static void call(const char *path, struct measurement it, size_t size, size_t in_flight) {
  if (begin_child()) serve(path, size, in_flight);
  wait_until_ready(1);
  struct connection *bus = connection_open(path);
  char *out = malloc((size + HEADER_ROOM) * in_flight);
  char *text = text_of(size);
  char *body = malloc(size + 8);
  double *sent = calloc(LATENCIES, sizeof *sent);
  float *latencies = calloc(LATENCIES, sizeof *latencies);
  struct message message = {.type = METHOD_CALL,
                            .path = PATH,
                            .interface = NAME,
                            .member = "Echo",
                            .destination = NAME,
                            .signature = "s",
                            .body = body,
                            .body_length = string_put(body, text)};
  size_t due = in_flight;
  size_t count = 0;
  double time = now();
  it.start = time;
  while (!measurement_is_over(&it, time)) {
    size_t filled = 0;
    for (; due > 0; due--) {
      message.serial = ++bus->serial;
      sent[message.serial % LATENCIES] = time;
      filled += message_put(out + filled, &message);
    }
    connection_write(bus, out, filled);
    size_t length;
    char *answer = connection_next(bus, &length, 1);
    time = now();
    for (; answer != NULL; answer = connection_next(bus, &length, 0)) {
      if (answer[1] == ERROR_REPLY) {
        fprintf(stderr, "an error in place of an answer\n");
        exit(1);
      }
      if (answer[1] != METHOD_RETURN) continue;
      uint32_t serial = message_word(message_field(answer, FIELD_REPLY_SERIAL), 0);
      latencies[count++ % LATENCIES] = (float)((time - sent[serial % LATENCIES]) * 1e6);
      due++;
    }
    if (measurement_warms(&it, time)) count = 0;
  }
  size_t kept = count < LATENCIES ? count : LATENCIES;
  qsort(latencies, kept, sizeof *latencies, compare);
  measurement_print(&it, (double)count, latencies[kept / 2], latencies[kept * 99 / 100]);
}

static void receive(const char *path, int number) {
  struct connection *bus = connection_open(path);
  connection_ask(bus, "AddMatch", "type='signal',interface='" NAME "'", -1);
  __sync_fetch_and_add(&shared->ready, 1);
  for (;;) {
    size_t length;
    unsigned long count = 0;
    char *message = connection_next(bus, &length, 1);
    for (; message != NULL; message = connection_next(bus, &length, 0))
      count += message[1] == SIGNAL && strcmp(message_field(message, 3), "Tick") == 0;
    shared->received[number].count += count;
  }
}

static unsigned long slowest(int receivers) {
  unsigned long least = shared->received[0].count;
  for (int i = 1; i < receivers; i++)
    if (shared->received[i].count < least) least = shared->received[i].count;
  return least;
}

static void signals(const char *path, struct measurement it, size_t size, int receivers) {
  for (int i = 0; i < receivers; i++)
    if (begin_child()) receive(path, i);
  wait_until_ready((unsigned long)receivers);
  struct connection *bus = connection_open(path);
  unsigned long ahead = AHEAD_BYTES / (size + HEADER_ROOM);
  ahead = ahead < 1 ? 1 : ahead > AHEAD_MAX ? AHEAD_MAX : ahead;
  size_t burst = ahead < BURST ? ahead : BURST;
  char *out = malloc((size + HEADER_ROOM) * burst);
  char *body = malloc(size + 8);
  struct message message = {.type = SIGNAL,
                            .flags = 1,
                            .path = PATH,
                            .interface = NAME,
                            .member = "Tick",
                            .signature = "s",
                            .body = body,
                            .body_length = string_put(body, text_of(size))};
  unsigned long sent = 0;
  unsigned long before = 0;
  double time = now();
  it.start = time;
  while (!measurement_is_over(&it, time)) {
    size_t filled = 0;
    for (size_t i = 0; i < burst; i++, sent++) {
      message.serial = ++bus->serial;
      filled += message_put(out + filled, &message);
    }
    connection_write(bus, out, filled);
    while (slowest(receivers) + ahead < sent + burst) sched_yield();
    time = now();
    if (measurement_warms(&it, time)) before = slowest(receivers);
  }
  measurement_print(&it, (double)(slowest(receivers) - before) * receivers, 0, 0);
}

static void rules(const char *path, unsigned long count) {
  struct connection *bus = NULL;
  for (unsigned long i = 0; i < count; i++) {
    char rule[200];
    if (i % RULES_EACH == 0) bus = connection_open(path);
    snprintf(rule, sizeof rule, "type='signal',interface='org.nlkit.Other%lu',member='Tick'", i);
    connection_ask(bus, "AddMatch", rule, -1);
  }
  printf("ready\n");
  fflush(stdout);
  while (getchar() != EOF) continue;
}

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct measurement it = measurement_begin(atoi(argv[2]), atof(argv[3]));
  atexit(end_children);
  if (strcmp(argv[4], "call") == 0 && argc == 7)
    call(argv[1], it, (size_t)atol(argv[5]), (size_t)atol(argv[6]));
  else if (strcmp(argv[4], "signal") == 0 && argc == 7)
    signals(argv[1], it, (size_t)atol(argv[5]), atoi(argv[6]));
  else if (strcmp(argv[4], "rules") == 0)
    rules(argv[1], strtoul(argv[5], NULL, 10));
  else
    return 2;
  return 0;
}
