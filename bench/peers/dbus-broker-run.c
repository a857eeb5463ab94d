/**
 * Starts dbus-broker where there is no systemd: dbus-broker-run SOCKET CONFIG. Its launcher takes
 * the listening socket as a service manager gives it, and wants a journal to write to: that is a
 * socket in a mount namespace of its own, which a child empties. Needs root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal"

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static int bound(int type, const char *path) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, type, 0);
  snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
  unlink(path);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0) die(path);
  return fd;
}

static void keep_journal(void) {
  char line[65536];
  if (unshare(CLONE_NEWNS) < 0) die("unshare");
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) die("mount");
  mkdir("/run/systemd", 0755);
  mkdir(JOURNAL, 0755);
  if (mount("none", JOURNAL, "tmpfs", 0, NULL) < 0) die("mount " JOURNAL);
  int journal = bound(SOCK_DGRAM, JOURNAL "/socket");
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (recv(journal, line, sizeof line, 0) >= 0) continue;
    _exit(0);
  }
  close(journal);
}

int main(int argc, char **argv) {
  char pid[16];
  if (argc < 3) return 2;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  keep_journal();
  int listening = bound(SOCK_STREAM | SOCK_NONBLOCK, argv[1]);
  if (listen(listening, 64) < 0) die("listen");
  if (listening != 3) {
    dup2(listening, 3);
    close(listening);
  }
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  setenv("LISTEN_FDS", "1", 1);
  setenv("LISTEN_PID", pid, 1);
  execlp("dbus-broker-launch", "dbus-broker-launch", "--scope", "user", "--config-file", argv[2],
         (char *)NULL);
  die("dbus-broker-launch");
}
