/** getifaddrs: all links, then all addresses, as libc lists them. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

/** include/linux/netdevice.h: bytes of a link-layer address at most. */
#define ADDRESS_MAX 32

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct {
    struct sockaddr_ll link;
    char more[ADDRESS_MAX - 8];
  };
};

/** An element of the list with all that it points to. */
struct entry {
  struct ifaddrs head;
  int index;
  char name[IF_NAMESIZE];
  union address address, netmask, other;
  struct rtnl_link_stats stats;
  bool has_stats;
};

/** The elements in one block, which freeifaddrs() frees by its first. */
struct list {
  struct entry *entries;
  size_t count;
};

static struct entry *append(struct list *list, int index) {
  struct entry *more = realloc(list->entries, (list->count + 1) * sizeof *more);
  if (!more) return NULL;
  list->entries = more;
  struct entry *entry = &more[list->count++];
  memset(entry, 0, sizeof *entry);
  entry->index = index;
  return entry;
}

static void put_name(struct entry *entry, const char *bytes, size_t length) {
  if (length >= sizeof entry->name) length = sizeof entry->name - 1;
  memcpy(entry->name, bytes, length);
  entry->name[length] = 0;
}

static void put_link_address(union address *to, const struct ifinfomsg *body, const char *bytes,
                             size_t length) {
  to->link.sll_family = AF_PACKET;
  to->link.sll_ifindex = body->ifi_index;
  to->link.sll_hatype = body->ifi_type;
  if (length > ADDRESS_MAX) return;
  to->link.sll_halen = (unsigned char)length;
  memcpy(to->link.sll_addr, bytes, length);
}

static int take_link(const struct nlmsghdr *message, void *context) {
  const struct ifinfomsg *body = NLMSG_DATA(message);
  struct rtattr attribute;
  const char *at;
  if (message->nlmsg_type != RTM_NEWLINK) return 0;
  struct entry *entry = append(context, body->ifi_index);
  if (!entry) return -ENOMEM;
  entry->head.ifa_flags = body->ifi_flags;
  put_link_address(&entry->address, body, NULL, 0);
  FOR_ATTRIBUTES(at, attribute, message, body) {
    const char *bytes = at + RTA_LENGTH(0);
    size_t length = attribute.rta_len - RTA_LENGTH(0);
    if (attribute.rta_type == IFLA_IFNAME) put_name(entry, bytes, length);
    else if (attribute.rta_type == IFLA_ADDRESS)
      put_link_address(&entry->address, body, bytes, length);
    else if (attribute.rta_type == IFLA_BROADCAST)
      put_link_address(&entry->other, body, bytes, length);
    else if (attribute.rta_type == IFLA_STATS) {
      memcpy(&entry->stats, bytes, length < sizeof entry->stats ? length : sizeof entry->stats);
      entry->has_stats = true;
    }
  }
  return 0;
}

static void put_address(union address *to, const struct ifaddrmsg *body, const char *bytes,
                        size_t length) {
  memset(to, 0, sizeof *to);
  if (body->ifa_family == AF_INET && length == sizeof to->v4.sin_addr) {
    to->v4.sin_family = AF_INET;
    memcpy(&to->v4.sin_addr, bytes, length);
  } else if (body->ifa_family == AF_INET6 && length == sizeof to->v6.sin6_addr) {
    to->v6.sin6_family = AF_INET6;
    memcpy(&to->v6.sin6_addr, bytes, length);
    if (IN6_IS_ADDR_LINKLOCAL(&to->v6.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&to->v6.sin6_addr))
      to->v6.sin6_scope_id = body->ifa_index;
  }
}

static void put_netmask(union address *to, const struct ifaddrmsg *body) {
  unsigned char *bytes = (unsigned char *)&to->v4.sin_addr;
  unsigned int most = 32;
  to->any.sa_family = body->ifa_family;
  if (body->ifa_family == AF_INET6) {
    bytes = (unsigned char *)&to->v6.sin6_addr;
    most = 128;
  }
  unsigned int bits = body->ifa_prefixlen < most ? body->ifa_prefixlen : most;
  memset(bytes, 0xff, bits / 8);
  if (bits % 8) bytes[bits / 8] = (unsigned char)(0xff << (8 - bits % 8));
}

static int take_address(const struct nlmsghdr *message, void *context) {
  const struct ifaddrmsg *body = NLMSG_DATA(message);
  struct list *list = context;
  struct rtattr attribute;
  const char *at;
  if (message->nlmsg_type != RTM_NEWADDR) return 0;
  if (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) return 0;
  struct entry *entry = append(list, (int)body->ifa_index);
  if (!entry) return -ENOMEM;
  for (size_t i = 0; i + 1 < list->count; i++) {
    const struct entry *link = &list->entries[i];
    if (link->index != entry->index || link->address.any.sa_family != AF_PACKET) continue;
    entry->head.ifa_flags = link->head.ifa_flags;
    memcpy(entry->name, link->name, sizeof entry->name);
  }
  FOR_ATTRIBUTES(at, attribute, message, body) {
    const char *bytes = at + RTA_LENGTH(0);
    size_t length = attribute.rta_len - RTA_LENGTH(0);
    bool is_second = entry->address.any.sa_family != 0;
    if (attribute.rta_type == IFA_LABEL) put_name(entry, bytes, length);
    else if (attribute.rta_type == IFA_BROADCAST) put_address(&entry->other, body, bytes, length);
    else if (attribute.rta_type == IFA_ADDRESS)
      put_address(is_second ? &entry->other : &entry->address, body, bytes, length);
    else if (attribute.rta_type == IFA_LOCAL) {
      if (is_second) entry->other = entry->address;
      put_address(&entry->address, body, bytes, length);
    }
  }
  put_netmask(&entry->netmask, body);
  return 0;
}

/** Points each element at what belongs to it, now that none will move. */
static void join(const struct list *list) {
  for (size_t i = 0; i < list->count; i++) {
    struct entry *entry = &list->entries[i];
    entry->head.ifa_name = entry->name;
    if (entry->address.any.sa_family) entry->head.ifa_addr = &entry->address.any;
    if (entry->netmask.any.sa_family) entry->head.ifa_netmask = &entry->netmask.any;
    if (entry->other.any.sa_family) entry->head.ifa_broadaddr = &entry->other.any;
    if (entry->has_stats) entry->head.ifa_data = &entry->stats;
    if (i + 1 < list->count) entry->head.ifa_next = &list->entries[i + 1].head;
  }
}

EXPORT int getifaddrs(struct ifaddrs **first) {
  if (!shim_is_on()) return LIBC(getifaddrs)(first);
  struct list list = {0};
  int failure = shim_dump(RTM_GETLINK, take_link, &list);
  if (failure == 0) failure = shim_dump(RTM_GETADDR, take_address, &list);
  if (failure < 0) {
    free(list.entries);
    return (int)shim_outcome(failure);
  }
  join(&list);
  *first = list.count ? &list.entries[0].head : NULL;
  return 0;
}

EXPORT void freeifaddrs(struct ifaddrs *first) {
  if (!shim_is_on()) LIBC(freeifaddrs)(first);
  else free(first);
}
