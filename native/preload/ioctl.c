/** ioctl on interfaces, which any socket takes: they belong to the kernel that the sockets are of. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "shim.h"

/** Requests to the network, include/uapi/linux/sockios.h and wireless.h; time stamps apart. */
static bool is_of_network(unsigned long request) {
  return (request >= 0x890b && request <= 0x89ff) || (request >= 0x8b00 && request <= 0x8bff);
}

static size_t bits_of(uint64_t mask) {
  size_t bits = 0;
  for (; mask != 0; mask &= mask - 1) bits++;
  return bits;
}

/** Bytes that an ethtool command's struct has: 0 for a command that no simulated link knows. */
static size_t ethtool_size(const void *data) {
  uint32_t command;
  uint32_t count;
  memcpy(&command, data, sizeof command);
  switch (command) {
    case ETHTOOL_GDRVINFO: return sizeof(struct ethtool_drvinfo);
    case ETHTOOL_GSET: return sizeof(struct ethtool_cmd);
    case ETHTOOL_GCOALESCE: return sizeof(struct ethtool_coalesce);
    case ETHTOOL_GRINGPARAM: return sizeof(struct ethtool_ringparam);
    case ETHTOOL_GCHANNELS: return sizeof(struct ethtool_channels);
    case ETHTOOL_GPAUSEPARAM: return sizeof(struct ethtool_pauseparam);
    case ETHTOOL_GTSO:
    case ETHTOOL_GGSO:
    case ETHTOOL_GGRO:
    case ETHTOOL_GSG:
    case ETHTOOL_GRXCSUM:
    case ETHTOOL_GTXCSUM:
    case ETHTOOL_GFLAGS:
    case ETHTOOL_GPFLAGS:
    case ETHTOOL_GMSGLVL:
    case ETHTOOL_GLINK: return sizeof(struct ethtool_value);
    case ETHTOOL_GSSET_INFO: {
      uint64_t mask;
      memcpy(&mask, (const char *)data + 8, sizeof mask);
      return sizeof(struct ethtool_sset_info) + 4 * bits_of(mask);
    }
    case ETHTOOL_GSTRINGS:
      memcpy(&count, (const char *)data + 8, sizeof count);
      return count > 4096 ? 0 : sizeof(struct ethtool_gstrings) + count * ETH_GSTRING_LEN;
    case ETHTOOL_GSTATS:
      memcpy(&count, (const char *)data + 4, sizeof count);
      return count > 4096 ? 0 : sizeof(struct ethtool_stats) + 8 * (size_t)count;
    case ETHTOOL_GPERMADDR:
      memcpy(&count, (const char *)data + 4, sizeof count);
      return count > 64 ? 0 : sizeof(struct ethtool_perm_addr) + count;
    default: return 0;
  }
}

/** Asks with the argument's bytes, and `data` behind them; both are as the kernel leaves them. */
static int64_t ask(int domain, unsigned long request, void *argument, size_t size, void *data,
                   size_t data_size) {
  struct iovec parts[2] = {{argument, size}, {data, data_size}};
  struct shim_call call = {
      .request = {.op = SHIM_IOCTL, .a = (uint32_t)request, .b = (uint32_t)domain},
      .out = parts,
      .out_count = 2,
      .in = parts,
      .in_count = 2,
      .is_local = true};
  return shim_ask(&call);
}

/** SIOCGIFCONF: the list of interfaces that have an address. */
static int64_t list(int domain, struct ifconf *argument) {
  int32_t room = argument->ifc_req ? argument->ifc_len : 0;
  if (room < 0) return -EINVAL;
  int64_t result = ask(domain, SIOCGIFCONF, &room, sizeof room, argument->ifc_req, (size_t)room);
  if (result >= 0) argument->ifc_len = room;
  return result;
}

/** What a device's driver is asked: the kernel says how many bytes the ifreq points to. */
static int64_t ask_driver(int domain, unsigned long request, struct ifreq *argument) {
  struct ifreq copy = *argument;
  int64_t size = ask(domain, request, &copy, sizeof copy, NULL, 0);
  if (size <= 0) return size;
  if (!argument->ifr_data) return -EFAULT;
  return ask(domain, request, &copy, sizeof copy, argument->ifr_data, (size_t)size);
}

int64_t shim_ioctl(int domain, unsigned long request, void *argument) {
  if (request == SIOCGIFCONF) return list(domain, argument);
  if (request >= SIOCDEVPRIVATE && request <= SIOCDEVPRIVATE + 15)
    return ask_driver(domain, request, argument);
  if (request != SIOCETHTOOL) return ask(domain, request, argument, sizeof(struct ifreq), NULL, 0);
  void *data = ((struct ifreq *)argument)->ifr_data;
  struct ifreq copy = *(struct ifreq *)argument;
  size_t size = data ? ethtool_size(data) : 0;
  if (!data) return -EFAULT;
  if (size != 0) return ask(domain, request, &copy, sizeof copy, data, size);
  int64_t result = ask(domain, SIOCGIFINDEX, &copy, sizeof copy, NULL, 0);
  return result < 0 ? result : -EOPNOTSUPP;
}

static int domain_of(int fd) {
  int domain = AF_UNSPEC;
  socklen_t length = sizeof domain;
  int before = errno;
  syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
  errno = before;
  return domain;
}

EXPORT int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (!shim_is_on()) return LIBC(ioctl)(fd, request, argument);
  bool is_ours = shim_socket_of(fd) != 0;
  if (is_of_network(request) && shim_inode(fd) != 0)
    return (int)shim_outcome(shim_ioctl(is_ours ? AF_NETLINK : domain_of(fd), request, argument));
  if (is_ours && (request == FIONREAD || request == TIOCOUTQ || request == SIOCGSTAMP))
    return (int)shim_outcome(-ENOTTY);
  return LIBC(ioctl)(fd, request, argument);
}
