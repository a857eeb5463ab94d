/** A route dump with libnl: its cache of routes. Prints milliseconds and the number of routes. */
#include <netlink/netlink.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <time.h>

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(void) {
  double start = milliseconds();
  struct nl_sock *socket = nl_socket_alloc();
  struct nl_cache *cache;
  if (socket == NULL || nl_connect(socket, NETLINK_ROUTE) < 0) return 1;
  if (rtnl_route_alloc_cache(socket, AF_INET, 0, &cache) < 0) return 1;
  printf("{\"ms\": %.2f, \"count\": %d}\n", milliseconds() - start, nl_cache_nitems(cache));
  return 0;
}
