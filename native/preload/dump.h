/** Dumps that the shim makes for itself: see dump.c. */
#ifndef NLKIT_DUMP_H
#define NLKIT_DUMP_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "shim.h"

/** Takes a message; a negative errno ends the dump. */
typedef int (*shim_take)(const struct nlmsghdr *message, void *context);

/** Dumps what `type` asks for: 0, or a negative errno. */
int shim_dump(uint16_t type, shim_take take, void *context);

/** Reads the head of the attribute at `*at`: false at the end, or where there is none. */
bool shim_attribute(const char **at, const char *end, struct rtattr *attribute);

/** Walks the attributes behind a message's `body`. */
#define FOR_ATTRIBUTES(at, attribute, message, body)                                     \
  for (at = (const char *)(message) + NLMSG_LENGTH(NLMSG_ALIGN(sizeof *(body)));         \
       shim_attribute(&at, (const char *)(message) + (message)->nlmsg_len, &attribute); \
       at += RTA_ALIGN(attribute.rta_len))

#endif
