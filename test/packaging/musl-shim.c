/* What glibc's libstdc++ and libgcc_s ask of a C library beyond what musl has. With it, a program for musl runs on Debian,
 * which has musl's loader, but no libstdc++ for it. Nothing in our program throws through these. */
typedef unsigned long size;
extern long syscall(long, ...);
extern size strftime_l(char *, size, const char *, const void *, void *);
extern unsigned long getauxval(unsigned long);

#ifdef __aarch64__
enum { getrandom = 278 };
#else
enum { getrandom = 318 };
#endif

unsigned arc4random(void) {
  unsigned number = 0;
  syscall(getrandom, &number, sizeof number, 0);
  return number;
}

size __strftime_l(char *text, size most, const char *format, const void *time, void *locale) {
  return strftime_l(text, most, format, time, locale);
}

unsigned long __getauxval(unsigned long kind) { return getauxval(kind); }

int __cxa_thread_atexit_impl(void (*end)(void *), void *object, void *library) {
  (void)end;
  (void)object;
  (void)library;
  return 0;
}

char __libc_single_threaded = 0;

int _dl_find_object(void *code, void *result) {
  (void)code;
  (void)result;
  return -1;
}

int __cpu_indicator_init(void) { return 0; }

struct {
  unsigned vendor, type, subtype, features;
} __cpu_model;
