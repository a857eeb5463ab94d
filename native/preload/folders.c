/** Folders of the kernel's, as opendir, readdir and glob read them. */
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

/** Folders that may be open at a time. */
#define FOLDERS 64
#define NAMES_SIZE (1 << 18)

/** What stands behind a DIR of ours: `.` and `..`, and then the names. */
struct folder {
  int fd;
  size_t length;
  size_t at;
  struct dirent entry;
  char names[];
};

static _Atomic(struct folder *) folders[FOLDERS];

static _Atomic(struct folder *) *slot_of(const struct folder *folder) {
  for (int i = 0; i < FOLDERS; i++)
    if (atomic_load(&folders[i]) == folder) return &folders[i];
  return NULL;
}

static struct folder *ours(DIR *dir) {
  struct folder *folder = (struct folder *)dir;
  return folder && slot_of(folder) ? folder : NULL;
}

static DIR *open_folder(const char *full) {
  static const char DOTS[] = ".\0..";
  struct folder *folder = malloc(sizeof *folder + sizeof DOTS + NAMES_SIZE);
  if (!folder) return NULL;
  memcpy(folder->names, DOTS, sizeof DOTS);
  int64_t size = file_names(full, folder->names + sizeof DOTS, NAMES_SIZE);
  struct folder *none = NULL;
  if (size < 0) {
    free(folder);
    return shim_outcome(size), NULL;
  }
  folder->fd = -1;
  folder->at = 0;
  folder->length = sizeof DOTS + (size_t)size;
  for (int i = 0; i < FOLDERS; i++, none = NULL)
    if (atomic_compare_exchange_strong(&folders[i], &none, folder)) return (DIR *)folder;
  free(folder);
  return shim_outcome(-EMFILE), NULL;
}

EXPORT DIR *opendir(const char *path) {
  char full[FILE_PATH];
  if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(opendir)(path);
  return open_folder(full);
}

static struct dirent *next(struct folder *folder) {
  struct dirent *entry = &folder->entry;
  if (folder->at >= folder->length) return NULL;
  const char *name = folder->names + folder->at;
  size_t length = strnlen(name, sizeof entry->d_name - 1);
  folder->at += length + 1;
  memset(entry, 0, sizeof *entry);
  memcpy(entry->d_name, name, length);
  entry->d_ino = folder->at;
  entry->d_off = (off_t)folder->at;
  entry->d_type = DT_UNKNOWN;
  entry->d_reclen = sizeof *entry;
  return entry;
}

EXPORT struct dirent *readdir(DIR *dir) {
  struct folder *folder = ours(dir);
  return folder ? next(folder) : LIBC(readdir)(dir);
}

EXPORT struct dirent64 *readdir64(DIR *dir) {
  struct folder *folder = ours(dir);
  return folder ? (struct dirent64 *)next(folder) : LIBC(readdir64)(dir);
}
_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "one struct dirent");

EXPORT int closedir(DIR *dir) {
  struct folder *folder = ours(dir);
  if (!folder) return LIBC(closedir)(dir);
  atomic_store(slot_of(folder), NULL);
  if (folder->fd >= 0) syscall(SYS_close, folder->fd);
  free(folder);
  return 0;
}

EXPORT void rewinddir(DIR *dir) {
  struct folder *folder = ours(dir);
  if (folder) folder->at = 0;
  else LIBC(rewinddir)(dir);
}

EXPORT long telldir(DIR *dir) {
  struct folder *folder = ours(dir);
  return folder ? (long)folder->at : LIBC(telldir)(dir);
}

EXPORT void seekdir(DIR *dir, long at) {
  struct folder *folder = ours(dir);
  if (!folder) LIBC(seekdir)(dir, at);
  else if (at >= 0 && (size_t)at <= folder->length) folder->at = (size_t)at;
}

/** A descriptor of some folder: nothing but closing is to be done with it. */
EXPORT int dirfd(DIR *dir) {
  struct folder *folder = ours(dir);
  if (!folder) return LIBC(dirfd)(dir);
  if (folder->fd < 0)
    folder->fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/sys/net", O_DIRECTORY | O_CLOEXEC);
  return folder->fd;
}

#ifdef GLOB_ALTDIRFUNC
/** libc's glob reads folders its own way unless it is given another. */
#define GLOB(name, type, entries)                                             \
  EXPORT int name(const char *restrict pattern, int flags,                    \
                  int (*failed)(const char *, int), type *restrict found) {   \
    bool is_ours = shim_is_on() && (strncmp(pattern, "/proc/sys/", 10) == 0 || \
                                    strncmp(pattern, "/sys/", 5) == 0);       \
    if (!is_ours || flags & GLOB_ALTDIRFUNC)                                  \
      return LIBC(name)(pattern, flags, failed, found);                       \
    found->gl_opendir = (void *(*)(const char *))opendir;                     \
    found->gl_closedir = (void (*)(void *))closedir;                          \
    found->gl_readdir = (void *)entries;                                      \
    found->gl_stat = (void *)stat;                                            \
    found->gl_lstat = (void *)lstat;                                          \
    int result = LIBC(name)(pattern, flags | GLOB_ALTDIRFUNC, failed, found); \
    found->gl_flags &= ~GLOB_ALTDIRFUNC;                                      \
    return result;                                                            \
  }
GLOB(glob, glob_t, readdir)
GLOB(glob64, glob64_t, readdir64)
#endif
