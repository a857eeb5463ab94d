/** What shim and kernel say to each other: src/daemon/shim-protocol.ts says the same. */
#ifndef NLKIT_PROTOCOL_H
#define NLKIT_PROTOCOL_H

#include <stdint.h>

/** "NLKT", and the version of all that goes over a kernel's Unix socket. */
#define SHIM_MAGIC 0x544b4c4eu
#define SHIM_VERSION 1u
/** Bytes behind a request's or an answer's head at most. */
#define SHIM_PAYLOAD_MAX (1u << 20)

/** Bytes of a struct sockaddr_nl. */
#define SHIM_NAME_SIZE 12

/** The first packet of a connection. */
enum {
  SHIM_DATA = 32,
  SHIM_CONTROL = 33,
};

/** On a control connection. */
enum {
  SHIM_BIND = 1,
  SHIM_CONNECT,
  SHIM_GETSOCKNAME,
  SHIM_GETPEERNAME,
  SHIM_SETSOCKOPT,
  SHIM_GETSOCKOPT,
  SHIM_SEND,
  SHIM_RECEIVE,
  SHIM_RELEASE,
  SHIM_RETURN,
  SHIM_IOCTL,
  SHIM_READY,
  SHIM_UNREADY,
  SHIM_CANCEL,
  SHIM_COLLECT,
  SHIM_OPEN,
  SHIM_WRITE,
};

/** SHIM_SEND: a name of `name_length` bytes comes first; then credentials. */
#define SHIM_HAS_NAME 1
#define SHIM_HAS_CREDENTIALS 2
/** SHIM_SEND: waits for room, `c` milliseconds, -1 for ever; SHIM_CANCEL ends that with EINTR. */
#define SHIM_WAIT 4

struct shim_request {
  uint8_t op;
  uint8_t flags;
  uint16_t name_length;
  uint32_t a;
  uint32_t b;
  int32_t c;
  uint64_t socket;
};

/** Flags of an answer. */
#define SHIM_RETIRED 1
#define SHIM_PKTINFO 2
#define SHIM_NSID 4
#define SHIM_CREDENTIALS 8
/** SHIM_SEND: the next datagram came with the answer. */
#define SHIM_TAKEN 16

struct shim_answer {
  uint8_t kind;
  uint8_t flags;
  uint16_t zero;
  int32_t result;
  uint32_t portid;
  /** As a mask: bit n-1 is group n. */
  uint32_t groups;
  uint32_t group;
  int32_t nsid;
  uint32_t pid;
  uint32_t uid;
  uint32_t gid;
  /** Number of the token that was retired last. */
  uint32_t token;
};

_Static_assert(sizeof(struct shim_request) == 24, "the request's head");
_Static_assert(sizeof(struct shim_answer) == 40, "the answer's head");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are little-endian");

#endif
