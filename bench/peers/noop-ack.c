/**
 * Requests and acknowledgements on one netlink socket: NLMSG_NOOP with NLM_F_ACK, send and recv.
 *
 * Prints seconds for N of them. Natively it measures Linux, behind the preload shim what serves it.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  long rounds = count > 1 ? atol(words[1]) : 10000;
  struct nlmsghdr request = {.nlmsg_len = sizeof request,
                             .nlmsg_type = NLMSG_NOOP,
                             .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
  char answer[8192];
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0) return perror("socket"), 1;
  double start = now();
  for (long i = 0; i < rounds; i++) {
    request.nlmsg_seq = (unsigned)i;
    if (send(fd, &request, sizeof request, 0) < 0) return perror("send"), 1;
    if (recv(fd, answer, sizeof answer, 0) < 0) return perror("recv"), 1;
  }
  printf("%.9f\n", now() - start);
  return 0;
}
