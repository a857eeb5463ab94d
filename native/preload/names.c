/** Names and numbers of interfaces: libc asks the kernel for them by itself, not through socket(). */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "dump.h"

EXPORT unsigned int if_nametoindex(const char *name) {
  if (!shim_is_on()) return LIBC(if_nametoindex)(name);
  struct ifreq request = {0};
  if (strlen(name) >= sizeof request.ifr_name) {
    errno = ENODEV;
    return 0;
  }
  strcpy(request.ifr_name, name);
  int64_t result = shim_ioctl(AF_INET, SIOCGIFINDEX, &request);
  return result < 0 ? (shim_outcome(result), 0) : (unsigned int)request.ifr_ifindex;
}

EXPORT char *if_indextoname(unsigned int index, char name[IF_NAMESIZE]) {
  if (!shim_is_on()) return LIBC(if_indextoname)(index, name);
  struct ifreq request = {.ifr_ifindex = (int)index};
  int64_t result = shim_ioctl(AF_INET, SIOCGIFNAME, &request);
  if (result < 0) {
    errno = result == -ENODEV ? ENXIO : (int)-result;
    return NULL;
  }
  memcpy(name, request.ifr_name, IF_NAMESIZE);
  return name;
}

struct list {
  struct if_nameindex *entries;
  size_t count;
};

static int take_link(const struct nlmsghdr *message, void *context) {
  struct list *list = context;
  struct rtattr attribute;
  const char *at;
  const struct ifinfomsg *body = NLMSG_DATA(message);
  if (message->nlmsg_type != RTM_NEWLINK) return 0;
  FOR_ATTRIBUTES(at, attribute, message, body) {
    if (attribute.rta_type != IFLA_IFNAME) continue;
    struct if_nameindex *more = realloc(list->entries, (list->count + 2) * sizeof *more);
    if (!more) return -ENOBUFS;
    list->entries = more;
    char *name = strndup(at + RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0));
    if (!name) return -ENOBUFS;
    more[list->count++] = (struct if_nameindex){(unsigned int)body->ifi_index, name};
    more[list->count] = (struct if_nameindex){0, NULL};
    return 0;
  }
  return 0;
}

EXPORT struct if_nameindex *if_nameindex(void) {
  if (!shim_is_on()) return LIBC(if_nameindex)();
  struct list list = {.entries = calloc(1, sizeof *list.entries)};
  int failure = list.entries ? shim_dump(RTM_GETLINK, take_link, &list) : -ENOBUFS;
  if (failure == 0) return list.entries;
  for (size_t i = 0; i < list.count; i++) free(list.entries[i].if_name);
  free(list.entries);
  errno = -failure;
  return NULL;
}
