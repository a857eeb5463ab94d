/**
 * nlkit's preload shim: a program's AF_NETLINK sockets become sockets of an nlkit kernel.
 *
 * A netlink socket of the program is a connection to the kernel's process (its data connection),
 * held by the program's own descriptor. It carries one thing, a token from the kernel's side as
 * long as there is something to receive: so poll, select, epoll, O_NONBLOCK and SO_RCVTIMEO are
 * the system's own. All else is asked over a second connection (a control connection), which names
 * the socket by the inode of its data connection, as it survives dup, fork and exec.
 *
 * Every function that stands in for one of libc's first asks whether the descriptor is ours; for
 * all others it calls libc's. Nothing here parses a datagram, names.c, addresses.c and links.c
 * apart.
 */
#ifndef NLKIT_SHIM_H
#define NLKIT_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "protocol.h"

/** What libc calls: visible to the program. */
#define EXPORT __attribute__((visibility("default")))

/** libc's own function of that name. */
#define LIBC(name)                                             \
  ({                                                           \
    static __typeof__(&name) found;                            \
    if (!found) found = (__typeof__(&name))shim_libc(#name);   \
    found;                                                     \
  })

/** dlsym(RTLD_NEXT); ends the program when there is no such function. */
void *shim_libc(const char *name);

/** Inode of the data connection behind `fd`, 0 if it is none of ours. Keeps errno. */
uint64_t shim_socket_of(int fd);
/** Remembers that `fd` is, or no longer is, a data connection. */
void shim_remember(int fd, uint64_t socket);
/** `to` is a copy of `from` now. */
void shim_copied(int from, int to);
/** Looks whether `fd`, which came from elsewhere, is a data connection. */
void shim_adopt(int fd);
/** Adopts the descriptors that came with a message. */
void shim_adopt_passed(struct msghdr *message);
/** Inode of what `fd` is, 0 if it is no socket. Keeps errno. */
uint64_t shim_inode(int fd);

/** Whether a kernel was named: without one, all is libc's. */
bool shim_is_on(void);
struct sockaddr_un;
/** Where the kernel is: the address's length. */
socklen_t shim_address(struct sockaddr_un *to);
/** Bytes of what `shim_describe_namespace` writes, at most. */
#define SHIM_NAMESPACE_SIZE 320
/** The machine's network namespace that this thread is in; 0 where that does not matter. */
uint64_t shim_namespace(void);
/** What the kernel is told of it. */
void shim_describe_namespace(uint64_t inode, char name[SHIM_NAMESPACE_SIZE]);
/** A new connection to the kernel: a descriptor, or a negative errno. */
int shim_dial(int flags);
/** Says what it wants of a new connection; a negative errno if the kernel refuses. */
int shim_greet(int fd, struct shim_request *request, const char *netns);

/** Most parts on either side of a call. */
#define SHIM_PARTS 64

/** A request to the kernel and its answer. */
struct shim_call {
  struct shim_request request;
  struct shim_answer answer;
  /** What follows the request, and what follows the answer: parts and how many. */
  const struct iovec *out;
  size_t out_count;
  const struct iovec *in;
  size_t in_count;
  /** Whether it is asked in this thread's namespace: requests about a socket are in the socket's. */
  bool is_local;
  /** Bytes that followed the answer. */
  size_t received;
};

/** Asks. @returns the answer's result, or -ECONNRESET: the kernel has gone. Keeps errno. */
int64_t shim_ask(struct shim_call *call);
/** Takes tokens off the data connection that the answer has retired. */
void shim_retire(int fd, uint64_t socket, const struct shim_answer *answer);

/** -1 with errno for a negative errno, else `result`. */
static inline int64_t shim_outcome(int64_t result) {
  if (result >= 0) return result;
  errno = (int)-result;
  return -1;
}

/** An ioctl on interfaces, by a socket of `domain`; a negative errno if the kernel refuses. */
int64_t shim_ioctl(int domain, unsigned long request, void *argument);

/* send.c, receive.c: what their many forms come down to. Negative errnos. */
int64_t shim_send(int fd, uint64_t socket, const struct msghdr *message, int flags);
int64_t shim_receive(int fd, uint64_t socket, struct msghdr *message, int flags);

#endif
