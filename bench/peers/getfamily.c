/**
 * The peer of bench/socket.ts and bench/kernel.ts: sequential CTRL_CMD_GETFAMILY round trips, one
 * send and one recv each. Arguments: round trips a run, runs, and `cpu` for seconds of the process'
 * CPU time. Prints the best run's round trips a second.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static struct {
  struct nlmsghdr message;
  struct genlmsghdr header;
  struct nlattr attribute;
  char name[8];
} request = {
    .message = {.nlmsg_len = sizeof request, .nlmsg_type = GENL_ID_CTRL, .nlmsg_flags = NLM_F_REQUEST},
    .header = {.cmd = CTRL_CMD_GETFAMILY, .version = 2},
    .attribute = {.nla_len = sizeof(struct nlattr) + sizeof "nlctrl", .nla_type = CTRL_ATTR_FAMILY_NAME},
    .name = "nlctrl",
};

static char buffer[32768];

static clockid_t watch = CLOCK_MONOTONIC;

static double seconds(void) {
  struct timespec now;
  clock_gettime(watch, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Round trips a second, or 0 when one failed. */
static double run(int fd, unsigned count) {
  double start = seconds();
  for (unsigned seq = 1; seq <= count; seq++) {
    struct nlmsghdr reply;
    request.message.nlmsg_seq = seq;
    if (send(fd, &request, sizeof request, 0) < 0) return 0;
    if (recv(fd, buffer, sizeof buffer, 0) < (ssize_t)sizeof reply) return 0;
    memcpy(&reply, buffer, sizeof reply);
    if (reply.nlmsg_seq != seq) return 0;
  }
  return count / (seconds() - start);
}

int main(int argc, char **argv) {
  unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
  int runs = argc > 2 ? atoi(argv[2]) : 10;
  double best = 0;
  if (argc > 3) watch = CLOCK_PROCESS_CPUTIME_ID;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  for (int i = 0; i < runs; i++) {
    double rate = run(fd, count);
    if (rate > best) best = rate;
  }
  printf("%.0f\n", best);
  return best > 0 ? 0 : 1;
}
