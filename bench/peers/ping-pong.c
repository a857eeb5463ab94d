/** Two processes and a pair of AF_UNIX seqpacket sockets: N packets of 64 bytes there and back. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words) {
  long rounds = count > 1 ? atol(words[1]) : 10000;
  char bytes[64] = {0};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0) return perror("socketpair"), 1;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    while (recv(ends[1], bytes, sizeof bytes, 0) > 0)
      if (send(ends[1], bytes, sizeof bytes, 0) < 0) break;
    _exit(0);
  }
  close(ends[1]);
  double start = now();
  for (long i = 0; i < rounds; i++) {
    if (send(ends[0], bytes, sizeof bytes, 0) < 0) return perror("send"), 1;
    if (recv(ends[0], bytes, sizeof bytes, 0) < 0) return perror("recv"), 1;
  }
  printf("%.9f\n", now() - start);
  close(ends[0]);
  waitpid(child, NULL, 0);
  return 0;
}
