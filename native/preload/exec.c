/**
 * exec and spawn: what is started stays on this kernel, whatever it is given as its environment, or
 * is refused.
 */
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "shim.h"

extern char **environ;

/** Most arguments of the forms that have them one by one. */
#define MOST_ARGUMENTS 4096

/** What the shim is told by: must be in every environment behind it. */
static const char *const NAMES[] = {"LD_PRELOAD", "NLKIT_SHIM", "NLKIT_SHIM_NETNS",
                                    "NLKIT_SHIM_BASE"};
#define NAME_COUNT (sizeof NAMES / sizeof *NAMES)
/** As they were when this program began; NULL for those that were not set. */
static char *kept[NAME_COUNT];

__attribute__((constructor)) static void keep(void) {
  if (!shim_is_on()) return;
  for (size_t i = 0; i < NAME_COUNT; i++) {
    const char *value = getenv(NAMES[i]);
    size_t length = value ? strlen(NAMES[i]) + strlen(value) + 2 : 0;
    kept[i] = length ? malloc(length) : NULL;
    if (kept[i]) snprintf(kept[i], length, "%s=%s", NAMES[i], value);
  }
}

static bool has(char *const *environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return true;
  return false;
}

static size_t count(char *const *list) {
  size_t length = 0;
  while (list && list[length]) length++;
  return length;
}

/** `from` with what is missing, in `to`, which has room for it. */
static char *const *complete(char *const *from, char **to) {
  static char *const none[] = {NULL};
  if (!from) from = none;
  size_t length = count(from);
  memcpy(to, from, length * sizeof *to);
  for (size_t i = 0; i < NAME_COUNT; i++)
    if (kept[i] && !has(from, NAMES[i])) to[length++] = kept[i];
  to[length] = NULL;
  return to;
}
/** Room for `complete`. */
#define ROOM(environment) (count(environment) + NAME_COUNT + 1)

/** Where execvp finds `file`, in `path`: false when it will not find it. */
static bool look_for(const char *file, char path[PATH_MAX]) {
  const char *folders = getenv("PATH");
  if (strchr(file, '/') || *file == '\0') return snprintf(path, PATH_MAX, "%s", file) < PATH_MAX;
  if (!folders) folders = "/bin:/usr/bin";
  for (const char *at = folders;; at++) {
    size_t length = strcspn(at, ":");
    int size = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, at, length ? "/" : "", file);
    if (size < PATH_MAX && syscall(SYS_faccessat, -100, path, X_OK) == 0) return true;
    at += length;
    if (*at == '\0') return false;
  }
}

static bool may_run_found(const char *file) {
  char path[PATH_MAX];
  int before = errno;
  bool is_found = look_for(file, path);
  errno = before;
  return !is_found || shim_may_run(path);
}

EXPORT int execve(const char *path, char *const argv[], char *const environment[]) {
  if (!shim_is_on()) return LIBC(execve)(path, argv, environment);
  char *room[ROOM(environment)];
  if (!shim_may_run(path)) return -1;
  return LIBC(execve)(path, argv, complete(environment, room));
}

EXPORT int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

EXPORT int execvpe(const char *file, char *const argv[], char *const environment[]) {
  if (!shim_is_on()) return LIBC(execvpe)(file, argv, environment);
  char *room[ROOM(environment)];
  if (!may_run_found(file)) return -1;
  return LIBC(execvpe)(file, argv, complete(environment, room));
}

EXPORT int execvp(const char *file, char *const argv[]) { return execvpe(file, argv, environ); }

/** The arguments up to NULL, as a list; -1 when they are too many. */
static int gather(const char *first, va_list arguments, char **argv) {
  int length = 0;
  for (const char *next = first; next; next = va_arg(arguments, const char *)) {
    if (length == MOST_ARGUMENTS) return (int)shim_outcome(-E2BIG);
    argv[length++] = (char *)next;
  }
  argv[length] = NULL;
  return length;
}

EXPORT int execl(const char *path, const char *first, ...) {
  char *argv[MOST_ARGUMENTS + 1];
  va_list arguments;
  va_start(arguments, first);
  int length = gather(first, arguments, argv);
  va_end(arguments);
  return length < 0 ? -1 : execve(path, argv, environ);
}

EXPORT int execlp(const char *file, const char *first, ...) {
  char *argv[MOST_ARGUMENTS + 1];
  va_list arguments;
  va_start(arguments, first);
  int length = gather(first, arguments, argv);
  va_end(arguments);
  return length < 0 ? -1 : execvpe(file, argv, environ);
}

EXPORT int execle(const char *path, const char *first, ...) {
  char *argv[MOST_ARGUMENTS + 1];
  va_list arguments;
  va_start(arguments, first);
  int length = gather(first, arguments, argv);
  char *const *environment = va_arg(arguments, char *const *);
  va_end(arguments);
  return length < 0 ? -1 : execve(path, argv, environment);
}

EXPORT int fexecve(int fd, char *const argv[], char *const environment[]) {
  if (!shim_is_on()) return LIBC(fexecve)(fd, argv, environment);
  char path[64];
  char *room[ROOM(environment)];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (!shim_may_run(path)) return -1;
  return LIBC(fexecve)(fd, argv, complete(environment, room));
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attributes, char *const argv[],
                       char *const environment[]) {
  if (!shim_is_on())
    return LIBC(posix_spawn)(pid, path, actions, attributes, argv, environment);
  char *room[ROOM(environment)];
  if (!shim_may_run(path)) return EACCES;
  return LIBC(posix_spawn)(pid, path, actions, attributes, argv, complete(environment, room));
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const argv[],
                        char *const environment[]) {
  if (!shim_is_on())
    return LIBC(posix_spawnp)(pid, file, actions, attributes, argv, environment);
  char *room[ROOM(environment)];
  if (!may_run_found(file)) return EACCES;
  return LIBC(posix_spawnp)(pid, file, actions, attributes, argv, complete(environment, room));
}
