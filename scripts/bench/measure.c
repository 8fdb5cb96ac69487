// Runs a command and tells what that process cost: alone, which `wait4` would not say, and with the children it has waited for.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

// User and system time of a process without its children's, in milliseconds. It may be a zombie.
static int own_time(pid_t pid, double *user_ms, double *system_ms) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int file = open(path, O_RDONLY);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (length <= 0) return 0;
  close(file);
  text[length] = 0;
  // The name in parentheses may hold anything, so fields are counted from behind it (proc(5)).
  const char *fields = strrchr(text, ')');
  unsigned long user, system;
  if (!fields || sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    return 0;
  double tick_ms = 1e3 / sysconf(_SC_CLK_TCK);
  *user_ms = user * tick_ms;
  *system_ms = system * tick_ms;
  return 1;
}

// The memory of a process that belongs to it alone, in bytes: neither files nor what it shares. 0 once it has ended.
static long long anonymous_bytes(pid_t pid) {
  char path[64], line[256];
  long long kilobytes = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "RssAnon: %lld", &kilobytes) == 1) break;
  fclose(file);
  return kilobytes * 1024;
}

// measure <file for the figures> <command> [arguments]
int main(int count, char **arguments) {
  if (count < 3) return 2;
  double began = now_ms(), user_ms, system_ms;
  pid_t pid = fork();
  if (pid == 0) {
    execv(arguments[2], arguments + 2);
    _exit(127);
  }
  if (pid < 0) return 2;
  siginfo_t ended;
  long long most_anonymous = 0;
  // The kernel keeps no peak of it, so it is looked at every 10 ms.
  const struct timespec pause = {0, 10 * 1000 * 1000};
  for (;;) {
    ended.si_pid = 0;
    // The zombie is left in the process table until its figures are read.
    if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT | WNOHANG) != 0) return 2;
    if (ended.si_pid == pid) break;
    long long anonymous = anonymous_bytes(pid);
    if (anonymous > most_anonymous) most_anonymous = anonymous;
    nanosleep(&pause, NULL);
  }
  double wall_ms = now_ms() - began;
  if (!own_time(pid, &user_ms, &system_ms)) return 2;
  int status;
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) != pid) return 2;
  FILE *figures = fopen(arguments[1], "w");
  if (!figures) return 2;
  // The peak of a process and of its children; theirs is never above the one they were forked from.
  double all_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
                  (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
  fprintf(figures,
          "{\"wallMs\":%.3f,\"userMs\":%.0f,\"systemMs\":%.0f,\"allMs\":%.3f,\"peakBytes\":%lld,\"anonymousBytes\":%lld}\n",
          wall_ms, user_ms, system_ms, all_ms, (long long)usage.ru_maxrss * 1024, most_anonymous);
  fclose(figures);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
