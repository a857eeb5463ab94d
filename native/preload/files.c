/**
 * Which paths are files of the kernel's, and what a descriptor of one is.
 *
 * What is opened is a memory file that has the text in it, so that whatever reads it reads the
 * system's own way. It is named after the path, by which it is known after dup, fork and exec.
 * write() goes to the kernel at once. libc's own streams write where nobody sees it: what they left
 * in the memory file goes to the kernel at the next fflush, fclose, close or dup2.
 */
#include "files.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define PREFIX "nlkit-file:"
/** What /proc/self/fd says in front of a memory file's name. */
#define LINK "/memfd:" PREFIX
/** Bytes that a file has, or is given, at most. */
#define FILE_SIZE (1 << 16)
/** Descriptors with a higher number are not looked at. */
#define DESCRIPTORS 4096

static const char *const ROOTS[] = {"/proc/sys/net", "/sys/class/net"};

/** Descriptors that were opened to be written, or came from elsewhere and may have been. */
static atomic_bool may_be_written[DESCRIPTORS];
static atomic_bool is_any_written;

/** `path` without empty parts and `.`; false when it is too long or has `..`. */
static bool tidy(const char *path, char full[FILE_PATH]) {
  size_t length = 0;
  while (*path) {
    size_t part = strcspn(path, "/");
    if (part == 2 && path[0] == '.' && path[1] == '.') return false;
    if (part > 0 && !(part == 1 && path[0] == '.')) {
      if (length + part + 2 > FILE_PATH) return false;
      full[length++] = '/';
      memcpy(full + length, path, part);
      length += part;
    }
    path += part + (path[part] == '/');
  }
  full[length] = '\0';
  return true;
}

static bool is_below_root(const char *full) {
  for (size_t i = 0; i < sizeof ROOTS / sizeof *ROOTS; i++) {
    size_t length = strlen(ROOTS[i]);
    if (strncmp(full, ROOTS[i], length) == 0 && (full[length] == '/' || full[length] == '\0'))
      return true;
  }
  return false;
}

/** The folder that a relative path begins in, or NULL: one that leads to files of the kernel's. */
static const char *folder_of(int fd, char *room, size_t size) {
  char link[32] = "/proc/self/cwd";
  if (fd != AT_FDCWD) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, room, size - 1);
  if (length <= 0) return NULL;
  room[length] = '\0';
  return strncmp(room, "/proc/sys", 9) == 0 || strncmp(room, "/sys", 4) == 0 ? room : NULL;
}

bool file_is_ours(int folder, const char *path, char full[FILE_PATH]) {
  char joined[2 * FILE_PATH];
  char room[FILE_PATH];
  if (!path || !*path || !shim_is_on()) return false;
  if (*path == '/') {
    if (strncmp(path, "/proc", 5) != 0 && strncmp(path, "/sys", 4) != 0) return false;
    return tidy(path, full) && is_below_root(full);
  }
  int before = errno;
  const char *start = strlen(path) < FILE_PATH ? folder_of(folder, room, sizeof room) : NULL;
  errno = before;
  if (!start) return false;
  snprintf(joined, sizeof joined, "%s/%s", start, path);
  return tidy(joined, full) && is_below_root(full);
}

/** Opens: st_mode or a negative errno; what there is to read is in `text`, `received` bytes. */
static int64_t ask_open(const char *full, uint32_t wanted, char *text, size_t room,
                        size_t *received) {
  struct iovec out = {(void *)full, strlen(full)};
  struct iovec in = {text, room};
  struct shim_call call = {.request = {.op = SHIM_OPEN, .a = wanted},
                           .out = &out,
                           .out_count = 1,
                           .in = &in,
                           .in_count = room > 0,
                           .is_local = true};
  int64_t result = shim_ask(&call);
  *received = call.received;
  return result;
}

int64_t file_mode(const char full[FILE_PATH], int wanted) {
  size_t received;
  return ask_open(full, (uint32_t)wanted & W_OK, NULL, 0, &received);
}

int64_t file_names(const char full[FILE_PATH], char *names, size_t room) {
  size_t received;
  int64_t mode = ask_open(full, R_OK, names, room, &received);
  if (mode < 0) return mode;
  return S_ISDIR(mode) ? (int64_t)received : -ENOTDIR;
}

/** A folder's descriptor is one of the machine's, which has no files that are read through it. */
static int open_folder(const char *full, int flags) {
  int wanted = O_DIRECTORY | (flags & (O_CLOEXEC | O_PATH));
  int fd = (int)syscall(SYS_openat, AT_FDCWD, full, wanted);
  if (fd < 0) fd = (int)syscall(SYS_openat, AT_FDCWD, ROOTS[0], wanted);
  return fd < 0 ? -errno : fd;
}

int file_open(const char full[FILE_PATH], int flags) {
  static const uint32_t WANTED[] = {R_OK, W_OK, R_OK | W_OK, 0};
  char name[sizeof PREFIX + FILE_PATH];
  char text[FILE_SIZE];
  size_t length = 0;
  uint32_t wanted = WANTED[flags & O_ACCMODE];
  int64_t mode = ask_open(full, wanted, text, sizeof text, &length);
  if (mode < 0) return (int)mode;
  if ((flags & O_CREAT) && (flags & O_EXCL)) return -EEXIST;
  if (S_ISDIR(mode)) return open_folder(full, flags);
  if (flags & O_DIRECTORY) return -ENOTDIR;
  snprintf(name, sizeof name, "%s%c%s", PREFIX, wanted & W_OK ? 'w' : 'r', full);
  int fd = (int)syscall(SYS_memfd_create, name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
  if (fd < 0) return -errno;
  if (wanted == R_OK && length > 0) {
    ssize_t written = syscall(SYS_pwrite64, fd, text, length, 0L);
    if (written < 0) {
      int failure = errno;
      syscall(SYS_close, fd);
      return -failure;
    }
  }
  if (wanted & W_OK) file_adopt(fd);
  return fd;
}

bool file_is_written(int fd, char full[FILE_PATH]) {
  char link[32];
  char target[sizeof LINK + FILE_PATH + 16];
  if (!atomic_load_explicit(&is_any_written, memory_order_relaxed)) return false;
  if (fd < 0 || fd >= DESCRIPTORS || !may_be_written[fd]) return false;
  int before = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, target, sizeof target - 1);
  errno = before;
  size_t head = sizeof LINK - 1;
  if (length <= (ssize_t)head || memcmp(target, LINK, head) != 0 || target[head] != 'w')
    return false;
  target[length] = '\0';
  char *end = strrchr(target, ' ');
  if (end) *end = '\0';
  snprintf(full, FILE_PATH, "%s", target + head + 1);
  return true;
}

void file_adopt(int fd) {
  char full[FILE_PATH];
  if (fd < 0 || fd >= DESCRIPTORS) return;
  bool was_any = atomic_exchange(&is_any_written, true);
  may_be_written[fd] = true;
  if (file_is_written(fd, full)) return;
  may_be_written[fd] = false;
  if (!was_any) is_any_written = false;
}

int64_t file_write(const char full[FILE_PATH], const struct iovec *parts, size_t count) {
  struct iovec out[SHIM_PARTS] = {{(void *)full, strlen(full)}};
  struct shim_call call = {
      .request = {.op = SHIM_WRITE, .name_length = (uint16_t)strlen(full)},
      .out = out,
      .out_count = count + 1,
      .is_local = true};
  size_t length = 0;
  if (count >= SHIM_PARTS) return -EINVAL;
  for (size_t i = 0; i < count; i++) {
    out[i + 1] = parts[i];
    length += parts[i].iov_len;
  }
  if (length > FILE_SIZE) return -EINVAL;
  return length == 0 ? 0 : shim_ask(&call);
}

int file_commit(int fd) {
  char full[FILE_PATH];
  char text[FILE_SIZE];
  if (!file_is_written(fd, full)) return 0;
  int before = errno;
  ssize_t length = syscall(SYS_pread64, fd, text, sizeof text, 0L);
  if (length > 0) {
    syscall(SYS_ftruncate, fd, 0L);
    syscall(SYS_lseek, fd, 0L, SEEK_SET);
  }
  errno = before;
  struct iovec part = {text, length > 0 ? (size_t)length : 0};
  int64_t result = length > 0 ? file_write(full, &part, 1) : 0;
  return result < 0 ? (int)result : 0;
}
