/**
 * Every form of the socket calls on netlink sockets, as an unmodified program makes them. What it
 * prints is the same on Linux and behind the preload shim.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long result) {
  if (result < 0) printf("%s: %s\n", what, strerror(errno));
  else printf("%s: %ld\n", what, result);
}

static int open_socket(int protocol, int flags) {
  int fd = socket(AF_NETLINK, SOCK_RAW | flags, protocol);
  if (fd < 0) say("socket", fd);
  return fd;
}

static struct sockaddr_nl name_of(int fd) {
  struct sockaddr_nl name = {0};
  socklen_t length = sizeof name;
  getsockname(fd, (struct sockaddr *)&name, &length);
  return name;
}

/** NLMSG_NOOP that wants an acknowledgement. */
static struct nlmsghdr noop(unsigned seq) {
  return (struct nlmsghdr){.nlmsg_len = 16, .nlmsg_type = 1, .nlmsg_flags = 5, .nlmsg_seq = seq};
}

static void sockets(void) {
  say("type", socket(AF_NETLINK, SOCK_STREAM, 0));
  say("protocol", socket(AF_NETLINK, SOCK_RAW, 32));
  say("negative protocol", socket(AF_NETLINK, SOCK_RAW, -1));
  int fd = open_socket(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
  printf("cloexec %d nonblock %d\n", fcntl(fd, F_GETFD) & FD_CLOEXEC,
         !!(fcntl(fd, F_GETFL) & O_NONBLOCK));
  struct sockaddr_nl name = name_of(fd);
  printf("fresh %u %u %u\n", name.nl_family, name.nl_pid, name.nl_groups);
  say("listen", listen(fd, 1));
  say("accept", accept(fd, NULL, NULL));
  say("shutdown", shutdown(fd, SHUT_RDWR));
  int pair[2];
  say("socketpair", socketpair(AF_NETLINK, SOCK_RAW, 0, pair));
  int queued;
  say("FIONREAD", ioctl(fd, FIONREAD, &queued));
  char byte;
  say("recv of nothing", recv(fd, &byte, 1, 0));
  say("read of nothing", read(fd, &byte, 0));
  say("send of nothing", send(fd, &byte, 0, 0));
  say("write of nothing", write(fd, &byte, 0));
  say("oob", send(fd, "x", 1, MSG_OOB));
  say("recv oob", recv(fd, &byte, 1, MSG_OOB));
  close(fd);
  say("closed", send(fd, "x", 1, 0));
}

static void names(void) {
  int fd = open_socket(NETLINK_USERSOCK, 0);
  struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_pad = 77};
  say("short bind", bind(fd, (struct sockaddr *)&name, 11));
  name.nl_family = AF_INET;
  say("family", bind(fd, (struct sockaddr *)&name, sizeof name));
  name.nl_family = AF_NETLINK;
  say("bind", bind(fd, (struct sockaddr *)&name, sizeof name));
  name = name_of(fd);
  printf("own pid %d pad %u\n", name.nl_pid == (unsigned)getpid(), name.nl_pad);
  name.nl_pid = 12345;
  say("bind again", bind(fd, (struct sockaddr *)&name, sizeof name));
  int other = open_socket(NETLINK_USERSOCK, 0);
  name.nl_pid = (unsigned)getpid();
  say("taken", bind(other, (struct sockaddr *)&name, sizeof name));
  name.nl_pid = 0;
  say("second autobind", bind(other, (struct sockaddr *)&name, sizeof name));
  printf("large %d\n", (int)name_of(other).nl_pid < 0);
  close(fd);
  int third = open_socket(NETLINK_USERSOCK, 0);
  name.nl_pid = (unsigned)getpid();
  say("freed at once", bind(third, (struct sockaddr *)&name, sizeof name));
  socklen_t length = 4;
  struct sockaddr_nl part = {0};
  say("part of a name", getsockname(third, (struct sockaddr *)&part, &length));
  printf("length %u family %u pid %u\n", length, part.nl_family, part.nl_pid);
  name.nl_pid = 5;
  name.nl_groups = 12;
  say("connect", connect(third, (struct sockaddr *)&name, sizeof name));
  length = sizeof part;
  getpeername(third, (struct sockaddr *)&part, &length);
  printf("peer %u %u\n", part.nl_pid, part.nl_groups);
  sa_family_t none = AF_UNSPEC;
  say("disconnect", connect(third, (struct sockaddr *)&none, sizeof none));
  say("short connect", connect(third, (struct sockaddr *)&name, 1));
  close(other);
  close(third);
}

static void options(void) {
  int fd = open_socket(NETLINK_ROUTE, 0);
  int value = 1;
  char byte = 1;
  socklen_t length;
  for (int option = 1; option <= 13; option++) {
    char text[40];
    snprintf(text, sizeof text, "set %d", option);
    value = 1;
    say(text, setsockopt(fd, SOL_NETLINK, option, &value, sizeof value));
    snprintf(text, sizeof text, "short set %d", option);
    if (option > 2 && option != 6 && option != 7)
      say(text, setsockopt(fd, SOL_NETLINK, option, &byte, 1));
    snprintf(text, sizeof text, "get %d", option);
    length = sizeof value;
    value = -1;
    long got = getsockopt(fd, SOL_NETLINK, option, &value, &length);
    say(text, got);
    if (got == 0 && option != 9) printf(" = %d, %u bytes\n", value, length);
    length = 1;
    if (option != 9) say("short get", getsockopt(fd, SOL_NETLINK, option, &value, &length));
  }
  say("no group", setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){0}, 4));
  say("group 9999", setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &(int){9999}, 4));
  length = 0;
  say("memberships", getsockopt(fd, SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, NULL, &length));
  printf("need %u\n", length);
  const int known[] = {SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ACCEPTCONN, SO_ERROR, SO_PASSCRED};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    length = sizeof value;
    value = -1;
    getsockopt(fd, SOL_SOCKET, known[i], &value, &length);
    printf("so %d = %d, %u bytes\n", known[i], value, length);
  }
  value = 4096;
  say("rcvbuf", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof value));
  length = sizeof value;
  getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, &length);
  printf("rcvbuf %d\n", value);
  say("short rcvbuf", setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, 1));
  say("other level", setsockopt(fd, 6, 1, &value, sizeof value));
  say("get other level", getsockopt(fd, 6, 1, &value, &length));
  close(fd);
}

static void forms(void) {
  int fd = open_socket(NETLINK_ROUTE, 0);
  struct nlmsghdr request = noop(1);
  char bytes[256];
  struct iovec parts[3] = {{&request, 4}, {(char *)&request + 4, 5}, {(char *)&request + 9, 7}};
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  say("write", write(fd, &request, sizeof request));
  say("read", read(fd, bytes, sizeof bytes));
  say("writev", writev(fd, parts, 3));
  struct iovec into[2] = {{bytes, 20}, {bytes + 100, 100}};
  say("readv", readv(fd, into, 2));
  say("send", send(fd, &request, sizeof request, 0));
  say("recv", recv(fd, bytes, sizeof bytes, 0));
  say("sendto", sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel));
  struct sockaddr_nl from;
  socklen_t length = sizeof from;
  memset(&from, 0xff, sizeof from);
  say("peek", recvfrom(fd, bytes, 4, MSG_PEEK, (struct sockaddr *)&from, &length));
  printf("from %u %u %u length %u\n", from.nl_family, from.nl_pid, from.nl_groups, length);
  say("peek trunc", recv(fd, bytes, 0, MSG_PEEK | MSG_TRUNC));
  say("trunc", recv(fd, bytes, 10, MSG_TRUNC));
  say("gone", recv(fd, bytes, sizeof bytes, MSG_DONTWAIT));
  struct msghdr message = {.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = parts,
                           .msg_iovlen = 3};
  say("sendmsg", sendmsg(fd, &message, 0));
  message = (struct msghdr){.msg_name = &from, .msg_namelen = 100, .msg_iov = into,
                            .msg_iovlen = 1, .msg_control = bytes + 200, .msg_controllen = 50};
  say("recvmsg", recvmsg(fd, &message, 0));
  printf("flags %#x namelen %u control %zu\n", message.msg_flags, message.msg_namelen,
         message.msg_controllen);
  struct mmsghdr many[3] = {0};
  struct iovec one = {&request, sizeof request};
  for (int i = 0; i < 3; i++) many[i].msg_hdr.msg_iov = &one, many[i].msg_hdr.msg_iovlen = 1;
  say("sendmmsg", sendmmsg(fd, many, 3, 0));
  char rooms[5][100];
  struct iovec room[5];
  struct mmsghdr come[5] = {0};
  for (int i = 0; i < 5; i++) {
    room[i] = (struct iovec){rooms[i], 100};
    come[i].msg_hdr.msg_iov = &room[i];
    come[i].msg_hdr.msg_iovlen = 1;
  }
  say("recvmmsg", recvmmsg(fd, come, 5, MSG_WAITFORONE, NULL));
  printf("lengths %u %u %u\n", come[0].msg_len, come[1].msg_len, come[2].msg_len);
  sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, 11);
  say("short name", -1);
  kernel.nl_family = AF_INET;
  say("bad name", sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&kernel, sizeof kernel));
  close(fd);
}

static void readiness(void) {
  int fd = open_socket(NETLINK_ROUTE, SOCK_NONBLOCK);
  struct nlmsghdr request = noop(2);
  char bytes[100];
  struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT};
  fd_set set;
  struct timeval now = {0};
  int events = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(events, EPOLL_CTL_ADD, fd, &event);
  for (int round = 0; round < 8; round++) {
    printf("idle %d", poll(&poller, 1, 0));
    printf(" %#x epoll %d", poller.revents, epoll_wait(events, &event, 1, 0));
    send(fd, &request, sizeof request, 0);
    FD_ZERO(&set);
    FD_SET(fd, &set);
    printf(" select %d", select(fd + 1, &set, NULL, NULL, &now));
    printf(" poll %d %#x epoll %d", poll(&poller, 1, 0), poller.revents,
           epoll_wait(events, &event, 1, 0));
    printf(" recv %zd then %d\n", recv(fd, bytes, sizeof bytes, 0), poll(&poller, 1, 0));
  }
  // By turns, without a look at readiness, then with one.
  for (int round = 0; round < 8; round++) {
    send(fd, &request, sizeof request, 0);
    if (recv(fd, bytes, sizeof bytes, 0) != 36) printf("lost\n");
  }
  send(fd, &request, sizeof request, 0);
  printf("late poll %d", poll(&poller, 1, 0));
  printf(" recv %zd", recv(fd, bytes, sizeof bytes, MSG_PEEK));
  printf(" recv %zd poll %d\n", recv(fd, bytes, sizeof bytes, 0), poll(&poller, 1, 0));
  struct timeval soon = {.tv_usec = 20000};
  fcntl(fd, F_SETFL, 0);
  say("timeout option", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
  say("timed out", recv(fd, bytes, sizeof bytes, 0));
  close(events);
  close(fd);
}

static void copies(void) {
  int fd = open_socket(NETLINK_ROUTE, 0);
  struct nlmsghdr request = noop(3);
  char bytes[100];
  int copy = dup(fd), high = fcntl(fd, F_DUPFD, 50), two = dup2(fd, 60), three = dup3(fd, 61, 0);
  const int all[] = {copy, high, two, three};
  close(fd);
  for (int i = 0; i < 4; i++) {
    say("copy send", send(all[i], &request, sizeof request, 0));
    say("copy recv", recv(all[(i + 1) % 4], bytes, sizeof bytes, 0));
  }
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    say("child send", send(copy, &request, sizeof request, 0));
    say("child recv", recv(copy, bytes, sizeof bytes, 0));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  say("parent send", send(copy, &request, sizeof request, 0));
  say("parent recv", recv(copy, bytes, sizeof bytes, 0));
  dup2(0, 60);
  struct sockaddr_nl name;
  socklen_t length = sizeof name;
  say("replaced", getsockname(60, (struct sockaddr *)&name, &length) < 0 ? 0 : 1);
  for (int i = 0; i < 4; i++) close(all[i]);
}

static void *receive_there(void *argument) {
  char bytes[100];
  return (void *)recv(*(int *)argument, bytes, sizeof bytes, 0);
}

static void threads(void) {
  int fd = open_socket(NETLINK_ROUTE, 0);
  struct nlmsghdr request = noop(4);
  char bytes[100];
  for (int i = 0; i < 8; i++) {
    send(fd, &request, sizeof request, 0);
    recv(fd, bytes, sizeof bytes, 0);
  }
  for (int i = 0; i < 20; i++) {
    pthread_t thread;
    void *got;
    pthread_create(&thread, NULL, receive_there, &fd);
    send(fd, &request, sizeof request, 0);
    pthread_join(thread, &got);
    if ((long)got != 36) printf("thread %ld\n", (long)got);
  }
  printf("threads done\n");
  close(fd);
}

static void beside(void) {
  int fd = open_socket(NETLINK_USERSOCK, 0);
  int to = open_socket(NETLINK_USERSOCK, 0);
  struct sockaddr_nl name = {.nl_family = AF_NETLINK};
  int on = 1;
  char control[200] = {0};
  char bytes[10];
  struct iovec part = {bytes, sizeof bytes};
  bind(to, (struct sockaddr *)&name, sizeof name);
  name = name_of(to);
  setsockopt(to, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on);
  setsockopt(to, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  say("to a process", sendto(fd, "hello", 5, 0, (struct sockaddr *)&name, sizeof name));
  struct sockaddr_nl from = {0};
  struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part,
                           .msg_iovlen = 1, .msg_control = control, .msg_controllen = 200};
  say("there", recvmsg(to, &message, 0));
  printf("from us %d control %zu\n", from.nl_pid == name_of(fd).nl_pid, message.msg_controllen);
  for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
    printf("level %d type %d length %zu", each->cmsg_level, each->cmsg_type, each->cmsg_len);
    if (each->cmsg_level == SOL_SOCKET) {
      struct ucred *who = (struct ucred *)CMSG_DATA(each);
      printf(" own %d %d %d", who->pid == getpid(), who->uid == getuid(), who->gid == getgid());
    } else printf(" group %d", *(int *)CMSG_DATA(each));
    printf("\n");
  }
  sendto(fd, "hello", 5, 0, (struct sockaddr *)&name, sizeof name);
  message.msg_controllen = 10;
  say("small control", recvmsg(to, &message, 0));
  printf("flags %#x control %zu\n", message.msg_flags, message.msg_controllen);
  struct sock_filter reject[] = {{BPF_RET | BPF_K, 0, 0, 0}};
  struct sock_fprog program = {1, reject};
  say("filter", setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
  say("filtered", sendto(fd, "hello", 5, 0, (struct sockaddr *)&name, sizeof name));
  say("nothing", recv(to, bytes, sizeof bytes, MSG_DONTWAIT));
  say("detach", setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, &on, sizeof on));
  name.nl_pid = 999999999;
  say("nobody", sendto(fd, "hello", 5, 0, (struct sockaddr *)&name, sizeof name));
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } rights = {.header = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
  message = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1, .msg_control = &rights,
                            .msg_controllen = sizeof rights};
  say("descriptors", sendmsg(fd, &message, 0));
  close(fd);
  close(to);
}

static void overrun(void) {
  int fd = open_socket(NETLINK_USERSOCK, 0);
  int to = open_socket(NETLINK_USERSOCK, SOCK_NONBLOCK);
  struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = 1};
  char bytes[1016] = {0};
  int size = 4608;
  setsockopt(to, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  say("join", bind(to, (struct sockaddr *)&name, sizeof name));
  for (int i = 0; i < 7; i++) sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&name, sizeof name);
  struct pollfd poller = {.fd = to, .events = POLLIN};
  printf("poll %d\n", poll(&poller, 1, 0));
  for (int i = 0; i < 7; i++) say("recv", recv(to, bytes, sizeof bytes, 0));
  sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&name, sizeof name);
  say("after", recv(to, bytes, sizeof bytes, 0));
  close(fd);
  close(to);
}

static void interfaces(void) {
  char name[IF_NAMESIZE];
  printf("lo is %u, 1 is %s\n", if_nametoindex("lo"), if_indextoname(1, name));
  say("no name", if_nametoindex("nosuch") ? 1 : -1);
  say("no index", if_indextoname(4711, name) ? 1 : -1);
  struct ifreq request = {0};
  strcpy(request.ifr_name, "lo");
  int fd = open_socket(NETLINK_ROUTE, 0);
  say("index by a netlink socket", ioctl(fd, SIOCGIFINDEX, &request));
  printf("index %d\n", request.ifr_ifindex);
  close(fd);
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  sockets();
  names();
  options();
  forms();
  readiness();
  copies();
  threads();
  beside();
  overrun();
  interfaces();
  return 0;
}
