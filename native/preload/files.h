/** Files that the kernel shows, /proc/sys/net and /sys/class/net, as the program opens them. */
#ifndef NLKIT_FILES_H
#define NLKIT_FILES_H

#include <stdio.h>
#include <sys/stat.h>

#include "shim.h"

/** Bytes of a path at most, with the zero byte; a longer one is none of the kernel's. */
#define FILE_PATH 230

/** Whether `path`, as openat has it, is one of the kernel's: in `full` then, without empty parts. */
bool file_is_ours(int folder, const char *path, char full[FILE_PATH]);
/** open(2) of such a path: a descriptor or a negative errno. */
int file_open(const char full[FILE_PATH], int flags);
/** st_mode of it, or a negative errno; `wanted` as access(2) has it. */
int64_t file_mode(const char full[FILE_PATH], int wanted);
/** The names in a folder, each ended by a zero byte: their bytes, or a negative errno. */
int64_t file_names(const char full[FILE_PATH], char *names, size_t room);

/** Whether `fd` is a file that was opened to be written, its path in `full`. Keeps errno. */
bool file_is_written(int fd, char full[FILE_PATH]);
/** Writes to a file of the kernel: bytes or a negative errno. */
int64_t file_write(const char full[FILE_PATH], const struct iovec *parts, size_t count);
/** Brings what stands in `fd` to the kernel, if it is such a file: 0, or a negative errno. */
int file_commit(int fd);
/** `fd` came from elsewhere, or is a copy. */
void file_adopt(int fd);

#endif
