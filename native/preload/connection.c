/** Connections to the kernel: where it is, how it is greeted. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "shim.h"

/** Bytes that a connection may hold on its way, as far as the system grants them. */
#define SEND_BUFFER (2 * (int)SHIM_PAYLOAD_MAX)
/** Descriptors of the program's own are looked for below this number on the way in from exec. */
#define INHERITED 1024

static struct sockaddr_un address;
static socklen_t address_length;
static bool is_looked_up;

/** Reads where the kernel is, once; what changes in the environment later does not matter. */
static void look_up(void) {
  const char *path = getenv("NLKIT_SHIM");
  is_looked_up = true;
  if (!path || !*path || strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  strcpy(address.sun_path, path);
  address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

bool shim_is_on(void) {
  if (!is_looked_up) look_up();
  return address_length != 0;
}

socklen_t shim_address(struct sockaddr_un *to) {
  memcpy(to, &address, sizeof address);
  return address_length;
}

/** One line about what keeps the program from its kernel. */
static void complain(const char *text) {
  char line[300];
  int length = snprintf(line, sizeof line, "nlkit: the kernel at %s %s\n", address.sun_path, text);
  size_t size = length < (int)sizeof line ? (size_t)length : sizeof line - 1;
  if (length > 0) syscall(SYS_write, 2, line, size);
}

/** Finds the sockets that came over exec, before the program's own code runs. */
__attribute__((constructor)) static void begin(void) {
  if (!shim_is_on()) return;
  for (int fd = 0; fd < INHERITED; fd++) shim_adopt(fd);
}

int shim_dial(int flags) {
  int size = SEND_BUFFER;
  int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_SEQPACKET | flags, 0);
  if (fd < 0) return -errno;
  if (syscall(SYS_connect, fd, &address, address_length) < 0) {
    int failure = errno;
    syscall(SYS_close, fd);
    return -failure;
  }
  syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  return fd;
}

/** Waits for the answer's head, which is all there is. */
static ssize_t hear(int fd, struct shim_answer *answer) {
  for (;;) {
    ssize_t got = syscall(SYS_recvfrom, fd, answer, sizeof *answer, 0, NULL, NULL);
    if (got >= 0 || errno != EINTR) return got;
  }
}

int shim_greet(int fd, struct shim_request *request, const char *name) {
  struct shim_answer answer;
  struct iovec parts[2] = {
      {.iov_base = request, .iov_len = sizeof *request},
      {.iov_base = (void *)name, .iov_len = strlen(name)},
  };
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  request->a = SHIM_MAGIC;
  request->b = SHIM_VERSION;
  if (syscall(SYS_sendmsg, fd, &message, MSG_NOSIGNAL) < 0) return -errno;
  ssize_t got = hear(fd, &answer);
  if (got < 0) return -errno;
  if (got < 16) {
    complain(got == 0 ? "has hung up: it is of another version of nlkit"
                      : "says what this shim does not understand");
    return -EPROTONOSUPPORT;
  }
  if (answer.result == -EPROTO) {
    complain("is of another version of nlkit than this shim");
    return -EPROTONOSUPPORT;
  }
  return answer.result;
}
