/**
 * The peer of bench/served.ts: round trips of one packet each way between two processes, over an
 * AF_UNIX seqpacket socket. Arguments: bytes, round trips a run, runs. Prints the median run's round
 * trips a second, and a second of both processes' CPU time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static double seconds(clockid_t watch) {
  struct timespec now;
  clock_gettime(watch, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

/** Sends back whatever comes. */
static void echo(int fd) {
  ssize_t size;
  while ((size = recv(fd, buffer, sizeof buffer, 0)) > 0)
    if (send(fd, buffer, (size_t)size, 0) < 0) break;
}

struct rates {
  double wall;
  double cpu;
};

/** Round trips a second; 0 when one failed. */
static struct rates run(int fd, size_t size, int count, clockid_t peer) {
  double wall = seconds(CLOCK_MONOTONIC);
  double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) + seconds(peer);
  for (int i = 0; i < count; i++) {
    if (send(fd, buffer, size, 0) < 0) return (struct rates){0};
    if (recv(fd, buffer, sizeof buffer, 0) != (ssize_t)size) return (struct rates){0};
  }
  return (struct rates){
      .wall = count / (seconds(CLOCK_MONOTONIC) - wall),
      .cpu = count / (seconds(CLOCK_PROCESS_CPUTIME_ID) + seconds(peer) - cpu)};
}

int main(int argc, char **argv) {
  size_t size = argc > 1 ? (size_t)atoi(argv[1]) : 64;
  int count = argc > 2 ? atoi(argv[2]) : 20000;
  int runs = argc > 3 ? atoi(argv[3]) : 5;
  double wall[64];
  double cpu[64];
  clockid_t peer;
  int fds[2];
  if (runs < 1 || runs > 64 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0) return 1;
  pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    close(fds[0]);
    echo(fds[1]);
    _exit(0);
  }
  close(fds[1]);
  if (clock_getcpuclockid(child, &peer) != 0) return 1;
  for (int i = 0; i < runs; i++) {
    struct rates rates = run(fds[0], size, count, peer);
    wall[i] = rates.wall;
    cpu[i] = rates.cpu;
  }
  close(fds[0]);
  waitpid(child, NULL, 0);
  qsort(wall, (size_t)runs, sizeof wall[0], compare);
  qsort(cpu, (size_t)runs, sizeof cpu[0], compare);
  printf("%.0f %.0f\n", wall[runs / 2], cpu[runs / 2]);
  return wall[0] > 0 ? 0 : 1;
}
