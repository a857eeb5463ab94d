/** libc's own functions, behind those that stand in for them. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

/** scripts/build-native.mjs looks for this in the binary, to see whether it is up to date. */
#ifndef NLKIT_SOURCES
#define NLKIT_SOURCES "unknown"
#endif

__attribute__((used)) static const char sources[] = "nlkit-sources:" NLKIT_SOURCES;

void *shim_libc(const char *name) {
  int before = errno;
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) {
    static const char says[] = "nlkit: this C library has no function ";
    syscall(SYS_write, 2, says, sizeof says - 1);
    syscall(SYS_write, 2, name, strlen(name));
    syscall(SYS_write, 2, "\n", 1);
    abort();
  }
  errno = before;
  return found;
}
