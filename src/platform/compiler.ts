// When Bun compiles a function to machine code: after how many times as many runs as usual. The executable starts with 64
// (`scripts/build.ts`), so that what runs only at the start is interpreted.

const timesAsManyRuns = {
  /**
   * For processes that go on running. Most of them wait for sessions, and compiling costs them more memory and processor
   * time than it saves: with 200 quick tasks 8 % and 15 %.
   */
  late: 16,
  /** For what repeats itself hundreds of times. */
  usual: 1,
} as const;

let times = Number.POSITIVE_INFINITY;

/** Compiles sooner from now on. Never later than asked before. */
export function compileSooner(when: keyof typeof timesAsManyRuns): void {
  if (timesAsManyRuns[when] >= times) return;
  times = timesAsManyRuns[when];
  // Not in every Bun that may run the sources.
  Bun.unsafe.setJITPolicy?.(times);
}
