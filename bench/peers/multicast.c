/**
 * A peer of bench/kernel.ts: multicasts on NETLINK_USERSOCK from one socket to others of the same
 * process, so that nobody has to be woken. Arguments: receivers, bytes, rounds, runs; a round sends 64
 * datagrams, then each receiver takes them. Prints the best run's deliveries a second of CPU
 * time.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 64
#define GROUP 3

static char buffer[8192];

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int open_socket(unsigned groups) {
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return -1;
  return fd;
}

/** Deliveries a second, or 0 when one failed. */
static double run(int sender, const int *receivers, int count, size_t size, int rounds) {
  struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1u << (GROUP - 1)};
  double start = seconds();
  for (int round = 0; round < rounds; round++) {
    /* A send to a group alone also tries port 0, the kernel, which refuses. */
    for (int i = 0; i < BURST; i++)
      (void)!sendto(sender, buffer, size, 0, (struct sockaddr *)&to, sizeof to);
    for (int r = 0; r < count; r++)
      for (int i = 0; i < BURST; i++)
        if (recv(receivers[r], buffer, sizeof buffer, MSG_DONTWAIT) != (ssize_t)size) return 0;
  }
  return (double)rounds * BURST * count / (seconds() - start);
}

int main(int argc, char **argv) {
  int receivers[64];
  int count = argc > 1 ? atoi(argv[1]) : 8;
  size_t size = argc > 2 ? (size_t)atoi(argv[2]) : 64;
  int rounds = argc > 3 ? atoi(argv[3]) : 300;
  int runs = argc > 4 ? atoi(argv[4]) : 5;
  double best = 0;
  int sender = open_socket(0);
  if (sender < 0 || count < 1 || count > 64) return 1;
  for (int i = 0; i < count; i++)
    if ((receivers[i] = open_socket(1u << (GROUP - 1))) < 0) return 1;
  for (int i = 0; i < runs; i++) {
    double rate = run(sender, receivers, count, size, rounds);
    if (rate > best) best = rate;
  }
  printf("%.0f\n", best);
  return best > 0 ? 0 : 1;
}
