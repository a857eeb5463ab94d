/**
 * Look-ups in C: RTM_GETROUTE of one IPv4 address after the other, one send and one recv each.
 * Arguments: look-ups, how many host routes there are (as bench/network.ts numbers them). Prints
 * a line of JSON: look-ups a second, and those a second of CPU.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

struct request {
  struct nlmsghdr message;
  struct rtmsg header;
  struct rtattr attribute;
  unsigned address;
};

static char buffer[8192];

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Seconds of CPU that this process has used. */
static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  unsigned total = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
  unsigned routes = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  struct request request = {
      .message = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETROUTE,
                  .nlmsg_flags = NLM_F_REQUEST},
      .header = {.rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_flags = RTM_F_LOOKUP_TABLE},
      .attribute = {.rta_len = sizeof(struct rtattr) + 4, .rta_type = RTA_DST},
  };
  double start = seconds();
  double used = cpu();
  for (unsigned i = 0; i < total; i++) {
    unsigned route = (unsigned)(((unsigned long)i * 7919) % routes);
    request.address = htonl(0x10000000u + 4 * route);
    request.message.nlmsg_seq = i + 1;
    if (send(fd, &request, sizeof request, 0) < 0) return 1;
    if (recv(fd, buffer, sizeof buffer, 0) <= 0) return 1;
    if (((struct nlmsghdr *)buffer)->nlmsg_type != RTM_NEWROUTE) return 2;
  }
  used = cpu() - used;
  printf("{\"rate\":%.0f,\"cpuRate\":%.0f}\n", total / (seconds() - start), total / used);
  return 0;
}
