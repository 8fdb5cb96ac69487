/* The structures of macOS that we read, by their members as Apple's public headers list them. The compiler lays them out:
 * nothing here knows the offsets that the program reads at. */
#include <stddef.h>
#include <stdint.h>

struct proc_bsdinfo {
  uint32_t pbi_flags, pbi_status, pbi_xstatus, pbi_pid, pbi_ppid;
  uint32_t pbi_uid, pbi_gid, pbi_ruid, pbi_rgid, pbi_svuid, pbi_svgid, rfu_1;
  char pbi_comm[16], pbi_name[32];
  uint32_t pbi_nfiles, pbi_pgid, pbi_pjobc, e_tdev, e_tpgid;
  int32_t pbi_nice;
  uint64_t pbi_start_tvsec, pbi_start_tvusec;
};

struct mac_timeval {
  int64_t tv_sec;
  int32_t tv_usec;
};

struct extern_proc {
  union {
    struct mac_timeval __p_starttime;
  } p_un;
  void *p_vmspace, *p_sigacts;
  int p_flag;
  char p_stat;
  int32_t p_pid, p_oppid;
  int p_dupfd;
  void *user_stack, *exit_thread;
  int p_debugger, sigwait;
  unsigned p_estcpu;
  int p_cpticks;
  uint32_t p_pctcpu;
  void *p_wchan, *p_wmesg;
  unsigned p_swtime, p_slptime;
  struct mac_timeval p_realtimer[2], p_rtime;
  uint64_t p_uticks, p_sticks, p_iticks;
  int p_traceflag;
  void *p_tracep;
  int p_siglist;
  void *p_textvp;
  int p_holdcnt;
  uint32_t p_sigmask, p_sigignore, p_sigcatch;
  unsigned char p_priority, p_usrpri;
  char p_nice, p_comm[17];
  void *p_pgrp, *p_addr;
  uint16_t p_xstat, p_acflag;
  void *p_ru;
};

struct eproc {
  void *e_paddr, *e_sess;
  struct {
    char pc_lock[72];
    void *pc_ucred;
    uint32_t p_ruid, p_svuid, p_rgid, p_svgid;
    int p_refcnt;
  } e_pcred;
  struct {
    int32_t cr_ref;
    uint32_t cr_uid;
    short cr_ngroups;
    uint32_t cr_groups[16];
  } e_ucred;
  struct {
    int32_t dummy;
    void *dummy2;
    int32_t dummy3[5];
    void *dummy4[3];
  } e_vm;
  int32_t e_ppid, e_pgid;
  short e_jobc;
  int32_t e_tdev, e_tpgid;
  void *e_tsess;
  char e_wmesg[8];
  int32_t e_xsize;
  short e_xrssize, e_xccount, e_xswrss;
  int32_t e_flag;
  char e_login[12];
  int32_t e_spare[4];
};

struct kinfo_proc {
  struct extern_proc kp_proc;
  struct eproc kp_eproc;
};

struct rusage_info_v0 {
  uint8_t ri_uuid[16];
  uint64_t ri_user_time, ri_system_time, ri_pkg_idle_wkups, ri_interrupt_wkups, ri_pageins;
  uint64_t ri_wired_size, ri_resident_size, ri_phys_footprint, ri_proc_start_abstime, ri_proc_exit_abstime;
};

struct vm_statistics64 {
  uint32_t free_count, active_count, inactive_count, wire_count;
  uint64_t zero_fill_count, reactivations, pageins, pageouts, faults, cow_faults, lookups, hits, purges;
  uint32_t purgeable_count, speculative_count;
  uint64_t decompressions, compressions, swapins, swapouts;
  uint32_t compressor_page_count, throttled_count, external_page_count, internal_page_count;
  uint64_t total_uncompressed_pages_in_compressor;
};
