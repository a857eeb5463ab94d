/**
 * The peer of bench/served.ts: round trips of one packet each way between two processes, over an
 * AF_UNIX seqpacket socket. Arguments: bytes, round trips a run, runs. Prints the median run's round
 * trips a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 20];

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
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

/** Round trips a second, or 0 when one failed. */
static double run(int fd, size_t size, int count) {
  double start = seconds();
  for (int i = 0; i < count; i++) {
    if (send(fd, buffer, size, 0) < 0) return 0;
    if (recv(fd, buffer, sizeof buffer, 0) != (ssize_t)size) return 0;
  }
  return count / (seconds() - start);
}

int main(int argc, char **argv) {
  size_t size = argc > 1 ? (size_t)atoi(argv[1]) : 64;
  int count = argc > 2 ? atoi(argv[2]) : 20000;
  int runs = argc > 3 ? atoi(argv[3]) : 5;
  double rates[64];
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
  for (int i = 0; i < runs; i++) rates[i] = run(fds[0], size, count);
  close(fds[0]);
  waitpid(child, NULL, 0);
  qsort(rates, (size_t)runs, sizeof rates[0], compare);
  printf("%.0f\n", rates[runs / 2]);
  return rates[0] > 0 ? 0 : 1;
}
