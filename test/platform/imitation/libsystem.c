/* Imitates on Linux the calls of macOS's libSystem that src/platform/processes/macos-calls.ts makes: with processes that a
 * test records one by one, or with those of this machine, out of /proc. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "structures.h"

enum { RUN = 2, SLEEP = 3, STOP = 4, ZOMBIE = 5 };

/* --- What a test records. */

struct process {
  int32_t pid, parent, group, session, state;
  uint32_t user;
  int64_t seconds;
  int32_t microseconds;
  uint64_t footprint;
  const char *texts;
  uint64_t length;
};

#define MOST 4096
static struct process recorded[MOST];
static int count = -1;
static uint32_t us;
static int32_t pressure = 1;
static uint64_t asked;
static struct vm_statistics64 pages;
static uint64_t page_bytes = 16384;

/* From now on, only recorded processes exist, and we are this user. */
void imitate_none(uint32_t user) {
  count = 0;
  us = user;
}

void imitate_process(int32_t pid, int32_t parent, int32_t group, int32_t session, int32_t state, uint32_t user,
                     int64_t seconds, int32_t microseconds, uint64_t footprint) {
  if (count < 0 || count >= MOST) return;
  recorded[count++] = (struct process){pid, parent, group, session, state, user, seconds, microseconds, footprint, 0, 0};
}

/* What KERN_PROCARGS2 gives for the process recorded last; the bytes must stay where they are. */
void imitate_arguments(const char *texts, uint64_t length) {
  recorded[count - 1].texts = texts;
  recorded[count - 1].length = length;
}

void imitate_memory(uint32_t free_pages, uint32_t inactive, uint32_t speculative, uint64_t bytes) {
  pages.free_count = free_pages;
  pages.inactive_count = inactive;
  pages.speculative_count = speculative;
  page_bytes = bytes;
}

void imitate_pressure(int32_t level) { pressure = level; }

/* How often a single process was asked for. */
uint64_t imitated_questions(void) { return asked; }

/* --- Processes of this machine. */

static char *text_of(int32_t pid, const char *name, char *into, size_t most, size_t *length) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  *length = fread(into, 1, most - 1, file);
  fclose(file);
  into[*length] = 0;
  return into;
}

static int64_t booted(void) {
  static int64_t at;
  char line[256];
  FILE *file = at ? 0 : fopen("/proc/stat", "r");
  while (file && fgets(line, sizeof line, file)) sscanf(line, "btime %ld", (long *)&at);
  if (file) fclose(file);
  return at;
}

static int look_up(int32_t pid, struct process *found) {
  char text[1024];
  size_t length;
  if (count >= 0) {
    for (int each = 0; each < count; each++)
      if (recorded[each].pid == pid) {
        *found = recorded[each];
        return 1;
      }
    return 0;
  }
  if (!text_of(pid, "stat", text, sizeof text, &length)) return 0;
  char state;
  unsigned long long ticks = 0;
  char *rest = strrchr(text, ')');
  memset(found, 0, sizeof *found);
  if (!rest || sscanf(rest + 2, "%c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
                      &found->parent, &found->group, &found->session, &ticks) != 5)
    return 0;
  struct stat owner;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d", pid);
  found->user = stat(path, &owner) ? 0 : owner.st_uid;
  found->pid = pid;
  found->state = state == 'Z' || state == 'X' ? ZOMBIE : state == 'T' ? STOP : state == 'R' ? RUN : SLEEP;
  found->seconds = booted() + (int64_t)(ticks / 100);
  found->microseconds = (int32_t)(ticks % 100) * 10000;
  return 1;
}

static int may_see(const struct process *one) {
  uint32_t user = count < 0 ? (uint32_t)geteuid() : us;
  return user == 0 || one->user == user;
}

static int fail(int code) {
  errno = code;
  return -1;
}

/* --- libproc. */

int proc_pidinfo(int pid, int flavor, uint64_t zombies, void *buffer, int size) {
  struct process one;
  struct proc_bsdinfo info;
  asked++;
  if (flavor != 3 || size < (int)sizeof info) return fail(ENOMEM) + 1;
  if (!look_up(pid, &one) || (one.state == ZOMBIE && !zombies)) return fail(ESRCH) + 1;
  if (!may_see(&one)) return fail(EPERM) + 1;
  memset(&info, 0, sizeof info);
  info.pbi_status = one.state;
  info.pbi_pid = one.pid;
  info.pbi_ppid = one.parent;
  info.pbi_pgid = one.group;
  info.pbi_uid = one.user;
  info.pbi_start_tvsec = one.seconds;
  info.pbi_start_tvusec = one.microseconds;
  memcpy(buffer, &info, sizeof info);
  return sizeof info;
}

int proc_pid_rusage(int pid, int flavor, void *buffer) {
  struct process one;
  struct rusage_info_v0 *used = buffer;
  if (flavor != 0) return fail(EINVAL);
  if (!look_up(pid, &one)) return fail(ESRCH);
  if (!may_see(&one)) return fail(EPERM);
  memset(used, 0, sizeof *used);
  used->ri_phys_footprint = used->ri_resident_size = one.footprint;
  if (count < 0) {
    char text[256];
    size_t length;
    unsigned long resident = 0, shared = 0;
    if (text_of(pid, "statm", text, sizeof text, &length)) sscanf(text, "%*u %lu %lu", &resident, &shared);
    used->ri_resident_size = resident * (uint64_t)sysconf(_SC_PAGESIZE);
    used->ri_phys_footprint = (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE);
  }
  return 0;
}

int getsid(int pid) {
  struct process one;
  if (pid == 0) pid = getpid();
  if (!look_up(pid, &one) || one.state == ZOMBIE) return fail(ESRCH);
  return one.session;
}

/* --- sysctl. */

static void fill(struct kinfo_proc *into, const struct process *one) {
  memset(into, 0, sizeof *into);
  into->kp_proc.p_un.__p_starttime.tv_sec = one->seconds;
  into->kp_proc.p_un.__p_starttime.tv_usec = one->microseconds;
  into->kp_proc.p_stat = (char)one->state;
  into->kp_proc.p_pid = one->pid;
  into->kp_eproc.e_ucred.cr_uid = one->user;
  into->kp_eproc.e_ppid = one->parent;
  into->kp_eproc.e_pgid = one->group;
}

static int give(struct kinfo_proc *into, size_t most, size_t *given, int32_t pid) {
  struct process one;
  if (!look_up(pid, &one)) return 0;
  if (into && *given < most) fill(&into[*given], &one);
  ++*given;
  return 1;
}

static int all_processes(void *old, size_t *length, int only) {
  struct kinfo_proc *into = old;
  size_t most = old ? *length / sizeof *into : 0, given = 0;
  if (only) {
    give(into, most, &given, only);
  } else if (count >= 0) {
    for (int each = 0; each < count; each++) give(into, most, &given, recorded[each].pid);
  } else {
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
      if (atoi(entry->d_name) > 0) give(into, most, &given, atoi(entry->d_name));
    if (folder) closedir(folder);
  }
  if (!old) {
    *length = (given + 5) * sizeof *into;
    return 0;
  }
  *length = (given < most ? given : most) * sizeof *into;
  return given > most ? fail(ENOMEM) : 0;
}

/* Programs of the system itself do not show their environment, as Apple's do not. */
static int is_restricted(const char *path) {
  return strncmp(path, "/bin/", 5) == 0 || strncmp(path, "/usr/bin/", 9) == 0 || strncmp(path, "/usr/sbin/", 10) == 0;
}

static int arguments(int32_t pid, char *into, size_t *length) {
  struct process one;
  if (!into || !look_up(pid, &one) || one.state == ZOMBIE || !may_see(&one)) return fail(EINVAL);
  if (count >= 0) {
    if (!one.texts || one.length > *length) return fail(EINVAL);
    memcpy(into, one.texts, one.length);
    *length = one.length;
    return 0;
  }
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/%d/exe", pid);
  ssize_t named = readlink(link, path, sizeof path - 1);
  if (named < 0) return fail(EINVAL);
  path[named] = 0;
  static char words[1 << 20], variables[1 << 20];
  size_t spoken, set = 0;
  if (!text_of(pid, "cmdline", words, sizeof words, &spoken)) return fail(EINVAL);
  if (!is_restricted(path) && !text_of(pid, "environ", variables, sizeof variables, &set)) return fail(EINVAL);
  int32_t argc = 0;
  for (size_t each = 0; each < spoken; each++) argc += words[each] == 0;
  memcpy(into, &argc, 4);
  size_t at = 4;
  memcpy(into + at, path, (size_t)named + 1);
  at += (size_t)named + 1;
  do into[at++] = 0;
  while (at % 8);
  memcpy(into + at, words, spoken);
  at += spoken;
  memcpy(into + at, variables, set);
  *length = at + set;
  return 0;
}

int sysctl(const int *name, unsigned words, void *old, size_t *length, void *changed, size_t size) {
  (void)changed;
  (void)size;
  if (words == 3 && name[0] == 1 && name[1] == 14 && name[2] == 0) return all_processes(old, length, 0);
  if (words == 4 && name[0] == 1 && name[1] == 14 && name[2] == 1) return all_processes(old, length, name[3]);
  if (words == 3 && name[0] == 1 && name[1] == 49) return arguments(name[2], old, length);
  return fail(ENOENT);
}

int sysctlbyname(const char *name, void *old, size_t *length, void *changed, size_t size) {
  (void)changed;
  (void)size;
  if (strcmp(name, "kern.bootsessionuuid") == 0) {
    char text[64];
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (!file || !fgets(text, sizeof text, file)) return fail(ENOENT);
    fclose(file);
    text[36] = 0;
    for (char *each = text; *each; each++) *each = *each >= 'a' ? *each - 32 : *each;
    if (*length < 37) return fail(ENOMEM);
    memcpy(old, text, 37);
    *length = 37;
    return 0;
  }
  if (strcmp(name, "kern.memorystatus_vm_pressure_level") == 0) {
    memcpy(old, &pressure, 4);
    *length = 4;
    return 0;
  }
  return fail(ENOENT);
}

/* --- Machine. */

int gethostuuid(uint8_t *into, const void *timeout) {
  (void)timeout;
  for (int each = 0; each < 16; each++) into[each] = (uint8_t)(0xA0 + each);
  return 0;
}

uint32_t mach_host_self(void) { return 4711; }

int host_statistics64(uint32_t host, int flavor, void *into, uint32_t *words) {
  if (host != 4711 || flavor != 4 || *words < sizeof pages / 4) return 4;
  memcpy(into, &pages, sizeof pages);
  *words = sizeof pages / 4;
  return 0;
}

int host_page_size(uint32_t host, uint64_t *bytes) {
  if (host != 4711) return 4;
  *bytes = page_bytes;
  return 0;
}
