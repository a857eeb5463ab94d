/** A client of a message bus by hand: no library stands between the load and what is measured. */
#ifndef DBUS_WIRE_H
#define DBUS_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { METHOD_CALL = 1, METHOD_RETURN, ERROR_REPLY, SIGNAL };
enum { FIELD_REPLY_SERIAL = 5, FIELD_SENDER = 7 };

/** Bytes of a message's header beside its texts. */
#define HEADER_ROOM 512

/** What a message is made of; NULL or 0 is left out. */
struct message {
  int type;
  int flags;
  uint32_t serial;
  const char *path;
  const char *interface;
  const char *member;
  const char *destination;
  uint32_t reply_serial;
  const char *signature;
  const char *body;
  size_t body_length;
};

/** A connection and the bytes that were read from it. */
struct connection {
  int fd;
  uint32_t serial;
  char *bytes;
  size_t capacity;
  size_t start;
  size_t end;
};

/** Writes `message` to `at`; its length. */
size_t message_put(char *at, const struct message *message);
/** Writes a string's length, its bytes and a NUL; how many that are. */
size_t string_put(char *at, const char *text);
/** A header field of `message`: the text, or the number's place; NULL if absent. */
const char *message_field(const char *message, int code);
uint32_t message_word(const char *message, size_t offset);

/** Connects, authenticates and says Hello; ends the process when that fails. */
struct connection *connection_open(const char *path);
void connection_write(struct connection *connection, const char *bytes, size_t length);
/** The next message: waits for it if `waits`; NULL if it is not there. Valid until the next call. */
char *connection_next(struct connection *connection, size_t *length, int waits);
/** Calls a method of the bus with a string, and a number unless that is negative; waits for the answer. */
void connection_ask(struct connection *connection, const char *member, const char *text,
                    int number);

#endif
