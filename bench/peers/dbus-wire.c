#include "dbus-wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static size_t padded(size_t length, size_t to) {
  return (length + to - 1) & ~(to - 1);
}

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

/** Moves `at` up to a multiple of `to`, with zeros. */
static size_t pad(char *bytes, size_t at, size_t to) {
  size_t next = padded(at, to);
  memset(bytes + at, 0, next - at);
  return next;
}

static size_t put_word(char *bytes, size_t at, uint32_t value) {
  at = pad(bytes, at, 4);
  memcpy(bytes + at, &value, 4);
  return at + 4;
}

size_t string_put(char *at, const char *text) {
  size_t length = strlen(text);
  put_word(at, 0, (uint32_t)length);
  memcpy(at + 4, text, length + 1);
  return length + 5;
}

static size_t put_field(char *bytes, size_t at, int code, char type) {
  at = pad(bytes, at, 8);
  bytes[at++] = (char)code;
  bytes[at++] = 1;
  bytes[at++] = type;
  bytes[at++] = 0;
  return at;
}

static size_t put_text(char *bytes, size_t at, int code, char type, const char *text) {
  if (text == NULL) return at;
  at = put_field(bytes, at, code, type);
  return at + string_put(bytes + at, text);
}

size_t message_put(char *bytes, const struct message *message) {
  size_t at = 4;
  bytes[0] = 'l';
  bytes[1] = (char)message->type;
  bytes[2] = (char)message->flags;
  bytes[3] = 1;
  at = put_word(bytes, at, (uint32_t)message->body_length);
  at = put_word(bytes, at, message->serial);
  at = put_word(bytes, at, 0);
  if (message->reply_serial != 0)
    at = put_word(bytes, put_field(bytes, at, FIELD_REPLY_SERIAL, 'u'), message->reply_serial);
  at = put_text(bytes, at, 1, 'o', message->path);
  at = put_text(bytes, at, 2, 's', message->interface);
  at = put_text(bytes, at, 3, 's', message->member);
  at = put_text(bytes, at, 6, 's', message->destination);
  if (message->signature != NULL) {
    at = put_field(bytes, at, 8, 'g');
    bytes[at++] = (char)strlen(message->signature);
    strcpy(bytes + at, message->signature);
    at += strlen(message->signature) + 1;
  }
  put_word(bytes, 12, (uint32_t)(at - 16));
  at = pad(bytes, at, 8);
  memcpy(bytes + at, message->body, message->body_length);
  return at + message->body_length;
}

uint32_t message_word(const char *message, size_t offset) {
  uint32_t value;
  memcpy(&value, message + offset, 4);
  return value;
}

const char *message_field(const char *message, int code) {
  size_t end = 16 + message_word(message, 12);
  for (size_t at = 16; at < end;) {
    at = padded(at, 8);
    int found = message[at];
    char type = message[at + 2];
    at += 4;
    const char *value = message + at + (type == 'u' ? 0 : type == 'g' ? 1 : 4);
    if (found == code) return value;
    if (type == 'u') at += 4;
    else if (type == 'g') at += (unsigned char)message[at] + 2;
    else at += message_word(message, at) + 5;
  }
  return NULL;
}

void connection_write(struct connection *connection, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(connection->fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) die("send");
    bytes += sent;
    length -= (size_t)sent;
  }
}

/** Bytes of the message at the front, 0 if its length is not known. */
static size_t length_of_next(const struct connection *connection) {
  const char *at = connection->bytes + connection->start;
  if (connection->end - connection->start < 16) return 0;
  return 16 + padded(message_word(at, 12), 8) + message_word(at, 4);
}

static void fill(struct connection *connection, size_t wanted) {
  size_t held = connection->end - connection->start;
  memmove(connection->bytes, connection->bytes + connection->start, held);
  connection->start = 0;
  connection->end = held;
  if (wanted > connection->capacity) {
    connection->capacity = wanted;
    connection->bytes = realloc(connection->bytes, wanted);
    if (connection->bytes == NULL) die("realloc");
  }
  ssize_t count =
      recv(connection->fd, connection->bytes + held, connection->capacity - held, 0);
  if (count < 0) die("recv");
  if (count == 0) {
    fprintf(stderr, "the bus has hung up\n");
    exit(1);
  }
  connection->end += (size_t)count;
}

char *connection_next(struct connection *connection, size_t *length, int waits) {
  for (;;) {
    size_t wanted = length_of_next(connection);
    if (wanted > 0 && wanted <= connection->end - connection->start) {
      char *message = connection->bytes + connection->start;
      connection->start += wanted;
      *length = wanted;
      return message;
    }
    if (!waits) return NULL;
    fill(connection, wanted);
  }
}

void connection_ask(struct connection *connection, const char *member, const char *text,
                    int number) {
  char body[1024];
  char bytes[2048];
  size_t length = text == NULL ? 0 : string_put(body, text);
  if (number >= 0) length = put_word(body, length, (uint32_t)number);
  struct message call = {.type = METHOD_CALL,
                         .serial = ++connection->serial,
                         .path = "/org/freedesktop/DBus",
                         .interface = "org.freedesktop.DBus",
                         .member = member,
                         .destination = "org.freedesktop.DBus",
                         .signature = text == NULL ? NULL : number >= 0 ? "su" : "s",
                         .body = body,
                         .body_length = length};
  connection_write(connection, bytes, message_put(bytes, &call));
  for (;;) {
    char *answer = connection_next(connection, &length, 1);
    if (answer[1] == METHOD_RETURN) return;
    if (answer[1] != ERROR_REPLY) continue;
    fprintf(stderr, "%s: refused\n", member);
    exit(1);
  }
}

struct connection *connection_open(const char *path) {
  struct connection *connection = calloc(1, sizeof *connection);
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char line[256];
  connection->capacity = 1 << 20;
  connection->bytes = malloc(connection->capacity);
  connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
  if (connect(connection->fd, (struct sockaddr *)&to, sizeof to) < 0) die(path);
  size_t length = (size_t)snprintf(line + 1, sizeof line - 1, "AUTH EXTERNAL ") + 1;
  line[0] = 0;
  char uid[16];
  snprintf(uid, sizeof uid, "%u", getuid());
  for (const char *digit = uid; *digit != 0; digit++)
    length += (size_t)sprintf(line + length, "%02x", (unsigned)*digit);
  length += (size_t)sprintf(line + length, "\r\n");
  connection_write(connection, line, length);
  if (recv(connection->fd, line, sizeof line, 0) < 2 || line[0] != 'O') die("AUTH");
  connection_write(connection, "NEGOTIATE_UNIX_FD\r\n", 19);
  if (recv(connection->fd, line, sizeof line, 0) < 2 || line[0] != 'A') die("NEGOTIATE_UNIX_FD");
  connection_write(connection, "BEGIN\r\n", 7);
  connection_ask(connection, "Hello", NULL, -1);
  return connection;
}
