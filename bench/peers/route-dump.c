/**
 * The limit of a route dump: receives all routes and looks at none. Arguments: AF_INET or
 * AF_UNSPEC as a number. Prints milliseconds, those of CPU, bytes and peak memory as JSON.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static char buffer[32768];

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/** Whether a datagram ends with NLMSG_DONE. */
static int is_last(const char *data, ssize_t size) {
  struct nlmsghdr header;
  ssize_t at = size - (ssize_t)NLMSG_LENGTH(sizeof(int));
  if (at < 0) return 0;
  memcpy(&header, data + at, sizeof header);
  return header.nlmsg_type == NLMSG_DONE && header.nlmsg_len == NLMSG_LENGTH(sizeof(int));
}

/** Milliseconds of CPU that this process has used. */
static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv) {
  struct {
    struct nlmsghdr header;
    struct rtmsg route;
  } request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETROUTE,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 1},
      .route = {.rtm_family = (unsigned char)(argc > 1 ? atoi(argv[1]) : AF_INET)},
  };
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  struct rusage usage;
  long bytes = 0;
  double start = milliseconds();
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  if (send(fd, &request, sizeof request, 0) < 0) return 1;
  for (;;) {
    ssize_t size = recv(fd, buffer, sizeof buffer, 0);
    if (size <= 0) return 1;
    bytes += size;
    if (is_last(buffer, size)) break;
  }
  double end = milliseconds();
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"ms\": %.2f, \"cpuMs\": %.2f, \"bytes\": %ld, \"rssMb\": %.1f}\n", end - start, cpu(), bytes,
         (double)usage.ru_maxrss / 1024);
  return 0;
}
