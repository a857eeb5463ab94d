/**
 * Whether a program can be kept on its kernel: the dynamic loader must put the shim before it, and
 * it must make its system calls through libc. src/cli/run-program.ts asks the same of CMD.
 */
#include "program.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shim.h"

/** Scripts that name scripts, at most; bytes that Linux reads of a first line. */
#define INTERPRETERS 4
#define FIRST_LINE 256
#define HEADERS 64
#define NOTE_BYTES 4096

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

static ssize_t read_at(int fd, void *into, size_t size, uint64_t at) {
  return syscall(SYS_pread64, fd, into, size, at);
}

/** The dynamic loader itself has no interpreter, and loads the shim all the same: ld*.so, ld*.so.2. */
static bool is_loader(const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path;
  const char *end = strstr(name, ".so");
  return strncmp(name, "ld", 2) == 0 && end && (end[3] == '\0' || end[3] == '.');
}

/** Go's linker leaves a note in its own name. */
static bool is_go_note(int fd, const Elf64_Phdr *header) {
  char notes[NOTE_BYTES];
  size_t wanted = header->p_filesz < sizeof notes ? header->p_filesz : sizeof notes;
  ssize_t got = read_at(fd, notes, wanted, header->p_offset);
  for (size_t at = 0; got > 0 && at + sizeof(Elf64_Nhdr) + 4 <= (size_t)got;) {
    Elf64_Nhdr note;
    memcpy(&note, notes + at, sizeof note);
    if (note.n_namesz == 4 && memcmp(notes + at + sizeof note, "Go\0\0", 4) == 0) return true;
    if (note.n_namesz > NOTE_BYTES || note.n_descsz > NOTE_BYTES) return false;
    at += sizeof note + ((note.n_namesz + 3u) & ~3u) + ((note.n_descsz + 3u) & ~3u);
  }
  return false;
}

static const char *judge_elf(int fd, const char *path, const Elf64_Ehdr *file) {
  Elf64_Phdr headers[HEADERS];
  bool has_interpreter = false;
  bool is_dynamic = false;
  bool is_go = false;
  if (file->e_ident[EI_CLASS] != ELFCLASS64 || file->e_machine != MACHINE)
    return "is built for another kind of machine than the shim";
  if (file->e_phentsize != sizeof *headers || file->e_phnum > HEADERS) return NULL;
  size_t size = file->e_phnum * sizeof *headers;
  if (read_at(fd, headers, size, file->e_phoff) != (ssize_t)size) return NULL;
  for (int i = 0; i < file->e_phnum; i++) {
    if (headers[i].p_type == PT_INTERP) has_interpreter = true;
    if (headers[i].p_type == PT_DYNAMIC) is_dynamic = true;
    if (headers[i].p_type == PT_NOTE && is_go_note(fd, &headers[i])) is_go = true;
  }
  if (is_go) return "is a Go program, which makes its system calls itself";
  if (has_interpreter || (is_dynamic && is_loader(path))) return NULL;
  return "is linked statically: nothing can stand before its system calls";
}

/** The interpreter that a script names: false for none. */
static bool read_interpreter(const char *line, ssize_t length, char path[FIRST_LINE]) {
  size_t at = 2;
  size_t to = 0;
  while (at < (size_t)length && (line[at] == ' ' || line[at] == '\t')) at++;
  while (at < (size_t)length && !strchr(" \t\n", line[at])) path[to++] = line[at++];
  path[to] = '\0';
  return to > 0;
}

static const char *judge(const char *path, int depth) {
  union {
    Elf64_Ehdr elf;
    char line[FIRST_LINE];
  } start;
  char interpreter[FIRST_LINE];
  struct stat stat;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  ssize_t got = read_at(fd, &start, sizeof start, 0);
  const char *verdict = NULL;
  if (syscall(SYS_fstat, fd, &stat) == 0) {
    if (stat.st_mode & S_ISUID && stat.st_uid != (uid_t)syscall(SYS_geteuid))
      verdict = "is setuid: the system keeps the shim out of it";
    if (stat.st_mode & S_ISGID && stat.st_gid != (gid_t)syscall(SYS_getegid))
      verdict = "is setgid: the system keeps the shim out of it";
  }
  bool is_script = false;
  if (!verdict && got >= (ssize_t)sizeof start.elf && memcmp(&start, ELFMAG, SELFMAG) == 0)
    verdict = judge_elf(fd, path, &start.elf);
  else if (!verdict && got > 2 && start.line[0] == '#' && start.line[1] == '!')
    is_script = read_interpreter(start.line, got, interpreter);
  syscall(SYS_close, fd);
  return is_script && depth < INTERPRETERS ? judge(interpreter, depth + 1) : verdict;
}

bool shim_may_run(const char *path) {
  char line[PATH_MAX + 200];
  int before = errno;
  const char *verdict = judge(path, 0);
  errno = before;
  if (!verdict) return true;
  int length = snprintf(line, sizeof line,
                        "nlkit: %s %s, and it would reach this machine's own kernel\n", path,
                        verdict);
  if (length > 0 && (size_t)length < sizeof line) syscall(SYS_write, 2, line, (size_t)length);
  errno = EACCES;
  return false;
}
