/**
 * Requests with libmnl, CTRL_CMD_GETFAMILY, one after another, each answer parsed. Arguments: round
 * trips. Prints requests a second, and those a second of CPU.
 */
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static char buffer[8192];

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int keep_attribute(const struct nlattr *attribute, void *data) {
  const struct nlattr **found = data;
  if (mnl_attr_type_valid(attribute, CTRL_ATTR_MAX) >= 0)
    found[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}

static int parse(const struct nlmsghdr *message, void *data) {
  const struct nlattr *found[CTRL_ATTR_MAX + 1] = {0};
  mnl_attr_parse(message, sizeof(struct genlmsghdr), keep_attribute, found);
  if (found[CTRL_ATTR_FAMILY_ID] != NULL)
    *(unsigned *)data += mnl_attr_get_u16(found[CTRL_ATTR_FAMILY_ID]);
  return MNL_CB_STOP;
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
  unsigned sum = 0;
  struct mnl_socket *socket = mnl_socket_open(NETLINK_GENERIC);
  if (socket == NULL || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return 1;
  unsigned portid = mnl_socket_get_portid(socket);
  double start = seconds();
  for (unsigned seq = 1; seq <= total; seq++) {
    struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
    request->nlmsg_type = GENL_ID_CTRL;
    request->nlmsg_flags = NLM_F_REQUEST;
    request->nlmsg_seq = seq;
    struct genlmsghdr *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
    header->cmd = CTRL_CMD_GETFAMILY;
    header->version = 2;
    mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, "nlctrl");
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) return 1;
    ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
    if (size <= 0 || mnl_cb_run(buffer, (size_t)size, seq, portid, parse, &sum) < 0) return 1;
  }
  printf("{\"rate\": %.0f, \"cpuRate\": %.0f, \"sum\": %u}\n", total / (seconds() - start), total / cpu(),
         sum);
  return 0;
}
