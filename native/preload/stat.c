/** What tells of a file of the kernel's by its path: access, stat, realpath and their kin. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

/** How sysfs and procfs describe a file: as the system describes one of its own, in another mode. */
static int describe(const char *full, struct stat *to) {
  int64_t mode = file_mode(full, 0);
  if (mode < 0) return (int)shim_outcome(mode);
  if (syscall(SYS_newfstatat, AT_FDCWD, "/proc/sys/kernel/osrelease", to, 0) < 0)
    memset(to, 0, sizeof *to);
  to->st_mode = (mode_t)mode;
  to->st_ino = 0;
  for (const char *at = full; *at; at++) to->st_ino = to->st_ino * 31 + (unsigned char)*at;
  return 0;
}

#define STAT(name, type)                                                      \
  EXPORT int name(const char *path, type *to) {                               \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, to);     \
    return describe(full, (struct stat *)to);                                 \
  }
STAT(stat, struct stat)
STAT(lstat, struct stat)
STAT(stat64, struct stat64)
STAT(lstat64, struct stat64)
_Static_assert(sizeof(struct stat) == sizeof(struct stat64), "one struct stat");

#define FSTATAT(name, type)                                                   \
  EXPORT int name(int folder, const char *path, type *to, int flags) {        \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(folder, path, full)) return LIBC(name)(folder, path, to, flags); \
    return describe(full, (struct stat *)to);                                 \
  }
FSTATAT(fstatat, struct stat)
FSTATAT(fstatat64, struct stat64)

/* How glibc before 2.33 has them, which its headers no longer declare. */
int __xstat(int version, const char *path, struct stat *to);
int __xstat64(int version, const char *path, struct stat64 *to);
int __lxstat(int version, const char *path, struct stat *to);
int __lxstat64(int version, const char *path, struct stat64 *to);

#define XSTAT(name, type)                                                     \
  EXPORT int name(int version, const char *path, type *to) {                  \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(version, path, to); \
    return describe(full, (struct stat *)to);                                 \
  }
XSTAT(__xstat, struct stat)
XSTAT(__xstat64, struct stat64)
XSTAT(__lxstat, struct stat)
XSTAT(__lxstat64, struct stat64)

EXPORT int statx(int folder, const char *restrict path, int flags, unsigned int mask,
                 struct statx *restrict to) {
  char full[FILE_PATH];
  struct stat stat;
  if (!file_is_ours(folder, path, full)) return LIBC(statx)(folder, path, flags, mask, to);
  if (describe(full, &stat) < 0) return -1;
  if (LIBC(statx)(AT_FDCWD, "/proc/sys/kernel/osrelease", flags, mask, to) < 0) return -1;
  to->stx_mode = (uint16_t)stat.st_mode;
  to->stx_ino = stat.st_ino;
  return 0;
}

static int may(const char *full, int wanted) {
  int64_t mode = file_mode(full, wanted);
  if (mode < 0) return (int)shim_outcome(mode);
  if (wanted & X_OK && !S_ISDIR(mode)) return (int)shim_outcome(-EACCES);
  return 0;
}

#define ACCESS(name)                                                          \
  EXPORT int name(const char *path, int wanted) {                             \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, wanted); \
    return may(full, wanted);                                                 \
  }
ACCESS(access)
ACCESS(eaccess)
ACCESS(euidaccess)

EXPORT int faccessat(int folder, const char *path, int wanted, int flags) {
  char full[FILE_PATH];
  if (!file_is_ours(folder, path, full)) return LIBC(faccessat)(folder, path, wanted, flags);
  return may(full, wanted);
}

/* libc's, which its headers declare only for programs built with _FORTIFY_SOURCE. */
char *__realpath_chk(const char *path, char *to, size_t room);

/** None of them is a link. */
static char *resolve(const char *full, char *to) {
  int64_t mode = file_mode(full, 0);
  if (mode < 0) return shim_outcome(mode), NULL;
  return to ? strcpy(to, full) : strdup(full);
}

EXPORT char *realpath(const char *restrict path, char *restrict to) {
  char full[FILE_PATH];
  if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(realpath)(path, to);
  return resolve(full, to);
}

EXPORT char *__realpath_chk(const char *path, char *to, size_t room) {
  char full[FILE_PATH];
  if (room < PATH_MAX || !file_is_ours(AT_FDCWD, path, full))
    return LIBC(__realpath_chk)(path, to, room);
  return resolve(full, to);
}
