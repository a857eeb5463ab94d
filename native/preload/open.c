/** open and fopen in all their forms, and what tells of a file by its path. */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#include "files.h"

/* libc's, which its headers declare only for some programs. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

/** The file's mode, which follows the flags where they ask for it. */
#define MODE(flags)                                              \
  ({                                                             \
    mode_t mode = 0;                                             \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
      va_list arguments;                                         \
      va_start(arguments, flags);                                \
      mode = va_arg(arguments, mode_t);                          \
      va_end(arguments);                                         \
    }                                                            \
    mode;                                                        \
  })

#define OPEN(name)                                                            \
  EXPORT int name(const char *path, int flags, ...) {                         \
    char full[FILE_PATH];                                                     \
    mode_t mode = MODE(flags);                                                \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, flags, mode); \
    return (int)shim_outcome(file_open(full, flags));                         \
  }
#define OPENAT(name)                                                          \
  EXPORT int name(int folder, const char *path, int flags, ...) {             \
    char full[FILE_PATH];                                                     \
    mode_t mode = MODE(flags);                                                \
    if (!file_is_ours(folder, path, full)) return LIBC(name)(folder, path, flags, mode); \
    return (int)shim_outcome(file_open(full, flags));                         \
  }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

#define OPEN_2(name)                                                          \
  EXPORT int name(const char *path, int flags) {                              \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, flags);  \
    return (int)shim_outcome(file_open(full, flags));                         \
  }
#define OPENAT_2(name)                                                        \
  EXPORT int name(int folder, const char *path, int flags) {                  \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(folder, path, full)) return LIBC(name)(folder, path, flags); \
    return (int)shim_outcome(file_open(full, flags));                         \
  }
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

#define CREAT(name)                                                           \
  EXPORT int name(const char *path, mode_t mode) {                            \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, mode);   \
    return (int)shim_outcome(file_open(full, O_WRONLY | O_CREAT | O_TRUNC));  \
  }
CREAT(creat)
CREAT(creat64)

/** What a stream's mode says, as open(2) has it. */
static int flags_of(const char *mode) {
  int flags = *mode == 'r' ? O_RDONLY : O_WRONLY;
  if (strchr(mode, '+')) flags = O_RDWR;
  return flags | (strchr(mode, 'e') ? O_CLOEXEC : 0);
}

static FILE *open_stream(const char *full, const char *mode) {
  int fd = (int)shim_outcome(file_open(full, flags_of(mode)));
  if (fd < 0) return NULL;
  FILE *stream = fdopen(fd, mode);
  if (!stream) syscall(SYS_close, fd);
  return stream;
}

#define FOPEN(name)                                                           \
  EXPORT FILE *name(const char *path, const char *mode) {                     \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, mode);   \
    return open_stream(full, mode);                                           \
  }
FOPEN(fopen)
FOPEN(fopen64)

/** freopen: the stream's descriptor becomes one of the file. */
static FILE *reopen_stream(const char *full, const char *mode, FILE *stream) {
  int fd = (int)shim_outcome(file_open(full, flags_of(mode)));
  if (fd < 0) return NULL;
  fflush(stream);
  int moved = dup2(fd, fileno(stream));
  syscall(SYS_close, fd);
  clearerr(stream);
  return moved < 0 ? NULL : stream;
}

#define FREOPEN(name)                                                         \
  EXPORT FILE *name(const char *path, const char *mode, FILE *stream) {       \
    char full[FILE_PATH];                                                     \
    if (!file_is_ours(AT_FDCWD, path, full)) return LIBC(name)(path, mode, stream); \
    return reopen_stream(full, mode, stream);                                 \
  }
FREOPEN(freopen)
FREOPEN(freopen64)

/** A stream's bit that ferror() shows, which glibc and musl have at the same place. */
#define STREAM_ERROR 0x20

EXPORT int fflush(FILE *stream) {
  int result = LIBC(fflush)(stream);
  if (!stream || result != 0) return result;
  int failure = file_commit(fileno(stream));
  if (failure == 0) return 0;
  *(int *)stream |= STREAM_ERROR;
  return (int)shim_outcome(failure);
}

EXPORT int fclose(FILE *stream) {
  int failure = 0;
  char full[FILE_PATH];
  int fd = fileno(stream);
  if (fd >= 0 && file_is_written(fd, full)) {
    LIBC(fflush)(stream);
    failure = file_commit(fd);
  }
  int result = LIBC(fclose)(stream);
  return failure < 0 ? (int)shim_outcome(failure) : result;
}

/** What a program left in its streams when it ends. */
__attribute__((destructor)) static void end(void) {
  if (!shim_is_on()) return;
  fflush(stdout);
  fflush(stderr);
}
