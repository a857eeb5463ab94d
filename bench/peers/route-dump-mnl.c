/**
 * A route dump with libmnl: every attribute parsed, numbers and addresses kept in an array of
 * structs. Arguments: AF_INET or AF_UNSPEC as a number. Prints milliseconds, those of CPU and the number of routes.
 */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

struct route {
  uint32_t destination, gateway, oif, priority, table;
  unsigned char family, length, protocol, scope, type;
};

static struct route *routes;
static size_t count;
static size_t room;
static char buffer[32768];

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int keep_attribute(const struct nlattr *attribute, void *data) {
  const struct nlattr **found = data;
  if (mnl_attr_type_valid(attribute, RTA_MAX) >= 0) found[mnl_attr_get_type(attribute)] = attribute;
  return MNL_CB_OK;
}

static uint32_t word(const struct nlattr *attribute) {
  return attribute == NULL ? 0 : mnl_attr_get_u32(attribute);
}

static int keep_route(const struct nlmsghdr *message, void *data) {
  const struct nlattr *found[RTA_MAX + 1] = {0};
  const struct rtmsg *header = mnl_nlmsg_get_payload(message);
  (void)data;
  mnl_attr_parse(message, sizeof *header, keep_attribute, found);
  if (count == room) {
    room = room == 0 ? 4096 : 2 * room;
    routes = realloc(routes, room * sizeof *routes);
    if (routes == NULL) return MNL_CB_ERROR;
  }
  routes[count++] = (struct route){.destination = word(found[RTA_DST]),
                                   .gateway = word(found[RTA_GATEWAY]),
                                   .oif = word(found[RTA_OIF]),
                                   .priority = word(found[RTA_PRIORITY]),
                                   .table = word(found[RTA_TABLE]),
                                   .family = header->rtm_family,
                                   .length = header->rtm_dst_len,
                                   .protocol = header->rtm_protocol,
                                   .scope = header->rtm_scope,
                                   .type = header->rtm_type};
  return MNL_CB_OK;
}

/** Milliseconds of CPU that this process has used. */
static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

int main(int argc, char **argv) {
  double start = milliseconds();
  struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
  if (socket == NULL || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return 1;
  struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
  request->nlmsg_type = RTM_GETROUTE;
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request->nlmsg_seq = 1;
  struct rtmsg *header = mnl_nlmsg_put_extra_header(request, sizeof *header);
  header->rtm_family = (unsigned char)(argc > 1 ? atoi(argv[1]) : AF_INET);
  if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) return 1;
  for (;;) {
    ssize_t size = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
    if (size <= 0) return 1;
    int result = mnl_cb_run(buffer, (size_t)size, 1, mnl_socket_get_portid(socket), keep_route, NULL);
    if (result < 0) return 1;
    if (result == MNL_CB_STOP) break;
  }
  printf("{\"ms\": %.2f, \"cpuMs\": %.2f, \"count\": %zu}\n", milliseconds() - start, cpu(), count);
  return 0;
}
