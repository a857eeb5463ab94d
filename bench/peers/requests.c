/**
 * Requests in C, CTRL_CMD_GETFAMILY: one send and one recv each, or some in one send and recvmmsg
 * for the answers. Arguments: round trips, requests in one send. Prints requests a second, and those a second of CPU.
 */
#define _GNU_SOURCE
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define MOST 64
#define SLOT 4096

struct request {
  struct nlmsghdr message;
  struct genlmsghdr header;
  struct nlattr attribute;
  char name[8];
};

static struct request requests[MOST];
static char buffer[MOST * SLOT];

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/** Takes `count` answers. */
static int receive(int fd, unsigned count) {
  struct mmsghdr messages[MOST] = {0};
  struct iovec parts[MOST];
  if (count == 1) return recv(fd, buffer, SLOT, 0) > 0;
  for (unsigned i = 0; i < count; i++) {
    parts[i] = (struct iovec){.iov_base = buffer + (size_t)i * SLOT, .iov_len = SLOT};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (unsigned got = 0; got < count;) {
    int more = recvmmsg(fd, messages, count - got, MSG_WAITFORONE, NULL);
    if (more <= 0) return 0;
    got += (unsigned)more;
  }
  return 1;
}

/** Seconds of CPU that this process has used. */
static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv) {
  unsigned total = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
  unsigned together = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
  struct sockaddr_nl address = {.nl_family = AF_NETLINK};
  int room = 8 << 20;
  unsigned seq = 0;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
  if (together < 1 || together > MOST || fd < 0) return 1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  for (unsigned i = 0; i < together; i++)
    requests[i] = (struct request){
        .message = {.nlmsg_len = sizeof requests[i], .nlmsg_type = GENL_ID_CTRL,
                    .nlmsg_flags = NLM_F_REQUEST},
        .header = {.cmd = CTRL_CMD_GETFAMILY, .version = 2},
        .attribute = {.nla_len = sizeof(struct nlattr) + sizeof "nlctrl",
                      .nla_type = CTRL_ATTR_FAMILY_NAME},
        .name = "nlctrl",
    };
  double start = seconds();
  for (unsigned done = 0; done < total; done += together) {
    for (unsigned i = 0; i < together; i++) requests[i].message.nlmsg_seq = ++seq;
    if (send(fd, requests, together * sizeof requests[0], 0) < 0 || !receive(fd, together)) return 1;
  }
  printf("{\"rate\": %.0f, \"cpuRate\": %.0f}\n", seq / (seconds() - start), seq / cpu());
  return 0;
}
