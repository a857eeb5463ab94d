/**
 * Which network namespace the program is in: `ip netns`, `unshare -n` and setns move it between the
 * machine's own, and its sockets follow into the kernel's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "shim.h"

/** The name of the namespace that the kernel was asked for, and the machine's that stands for it. */
static const char *named = "";
static uint64_t base;
static bool is_looked_up;

static void look_up(void) {
  const char *name = getenv("NLKIT_SHIM_NETNS");
  const char *inode = getenv("NLKIT_SHIM_BASE");
  char *copy = name && *name ? strdup(name) : NULL;
  if (copy) named = copy;
  if (inode) base = strtoull(inode, NULL, 10);
  is_looked_up = true;
}

/** Inode of this thread's network namespace, 0 where there is no /proc. Keeps errno. */
static uint64_t current(void) {
  char link[64];
  int before = errno;
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/thread-self/ns/net", link,
                           sizeof link - 1);
  errno = before;
  if (length <= 5 || strncmp(link, "net:[", 5) != 0) return 0;
  link[length] = '\0';
  return strtoull(link + 5, NULL, 10);
}

uint64_t shim_namespace(void) {
  if (!is_looked_up) look_up();
  return base == 0 ? 0 : current();
}

void shim_describe_namespace(uint64_t inode, char name[SHIM_NAMESPACE_SIZE]) {
  if (!is_looked_up) look_up();
  if (base == 0 || inode == 0) snprintf(name, SHIM_NAMESPACE_SIZE, "%s", named);
  else
    snprintf(name, SHIM_NAMESPACE_SIZE, "%s/%llu/%llu", named, (unsigned long long)base,
             (unsigned long long)inode);
}

/** A name of a namespace may be gone, and with it the namespace: the kernel's side looks. */
static int look_after(int result) {
  if (result == 0 && shim_is_on() && shim_namespace() != 0) {
    struct shim_call call = {.request = {.op = SHIM_COLLECT}};
    shim_ask(&call);
  }
  return result;
}

EXPORT int umount2(const char *path, int flags) { return look_after(LIBC(umount2)(path, flags)); }

EXPORT int umount(const char *path) { return look_after(LIBC(umount)(path)); }
