/** Ancillary data of a message, one part after another. */
#ifndef NLKIT_CONTROL_H
#define NLKIT_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/** One part; all zero before the first. */
struct control {
  int level;
  int type;
  const char *data;
  /** Bytes of `data`. */
  size_t length;
  /** Where the next part starts, bytes. */
  size_t next;
};

/** Moves to the next part; false when there is none. */
bool control_next(const struct msghdr *message, struct control *part);

/** How many descriptors the kernel installed with this part: SCM_RIGHTS, SCM_PIDFD. */
size_t control_descriptors(const struct control *part);
int control_descriptor(const struct control *part, size_t index);

/** Closes the descriptors of a part that nobody takes. */
void control_close(const struct control *part);

#endif
