/** Sends into a queue that is full: says what each call answers, on whatever kernel it runs. */
#include <errno.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char bytes[1000];
static struct sockaddr_nl to = {.nl_family = AF_NETLINK};

static int make(void) {
  struct sockaddr_nl name = {.nl_family = AF_NETLINK};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_USERSOCK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) < 0) {
    perror("socket");
    exit(1);
  }
  return fd;
}

static ssize_t put(int fd, int flags) {
  return sendto(fd, bytes, sizeof bytes, flags, (struct sockaddr *)&to, sizeof to);
}

static void say(const char *what, ssize_t result) {
  printf("%s: %zd%s%s\n", what, result, result < 0 ? " " : "", result < 0 ? strerror(errno) : "");
  fflush(stdout);
}

static void ignore(int number) { (void)number; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

struct sender {
  int fd;
  ssize_t result;
  int failure;
};

static void *send_waiting(void *argument) {
  struct sender *sender = argument;
  sender->result = put(sender->fd, 0);
  sender->failure = errno;
  return NULL;
}

static int fill(int fd) {
  int count = 0;
  while (put(fd, MSG_DONTWAIT) > 0) count++;
  return count;
}

int main(void) {
  struct sockaddr_nl name;
  socklen_t length = sizeof name;
  int receiver = make();
  int sender = make();
  getsockname(receiver, (struct sockaddr *)&name, &length);
  to.nl_pid = name.nl_pid;
  int count = fill(sender);
  printf("some fit: %d\n", count > 10);
  say("at once", put(sender, MSG_DONTWAIT));

  struct timeval limit = {.tv_usec = 60000};
  setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  double start = now();
  say("for 60 ms", put(sender, 0));
  printf("waited: %d\n", now() - start >= 0.059);
  limit = (struct timeval){0};
  setsockopt(sender, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);

  struct sigaction action = {.sa_handler = ignore};
  struct itimerval timer = {.it_value.tv_usec = 60000};
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
  say("until a signal", put(sender, 0));

  pthread_t threads[4];
  struct sender senders[4];
  for (int i = 0; i < 4; i++) {
    senders[i] = (struct sender){.fd = sender};
    pthread_create(&threads[i], NULL, send_waiting, &senders[i]);
  }
  char into[2000];
  int got = 0;
  for (; got < count + 4; got++)
    if (recv(receiver, into, sizeof into, 0) != sizeof bytes) break;
  printf("all came: %d\n", got == count + 4);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    errno = senders[i].failure;
    say("a thread", senders[i].result);
  }

  fill(sender);
  for (int i = 0; i < 3; i++) {
    senders[i] = (struct sender){.fd = sender};
    pthread_create(&threads[i], NULL, send_waiting, &senders[i]);
  }
  // Whether they wait already or not, they are told that nobody is there.
  struct timespec moment = {.tv_nsec = 50000000};
  nanosleep(&moment, NULL);
  close(receiver);
  for (int i = 0; i < 3; i++) {
    pthread_join(threads[i], NULL);
    errno = senders[i].failure;
    say("with nobody there", senders[i].result);
  }
  return 0;
}
