// Linux: takes in the processes whose parents end below us, so that none gets lost by leaving its parents.
import { livenessOf, readStat } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { childrenOf, type ProcessRow, type ProcessTable, processTable } from "./process-table.ts";
import { textAt } from "./system.ts";

/** The C library, by the names that it has with glibc and with musl. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
const setChildSubreaper = 36;
const withoutWaiting = 1;

/** How often a process that has nothing else to do lets go of orphans that have ended, in milliseconds. */
export const buryEveryMs = 1_000;

interface Calls {
  takeIn(): void;
  /** Lets go of a child that has ended. */
  bury(pid: number): void;
}

let calls: Calls | undefined;
let takesIn = false;

/** A process above us that takes in orphans too: those of a process that stood between us once. */
let above: ProcessIdentity | undefined;

// By its identity, and never by what our parent is now: once it has ended, that is init, or a service manager, and all
// programs of the user are its children.
function pidAbove(): number | undefined {
  return above && livenessOf(above) === "alive" ? above.pid : undefined;
}

/**
 * From now on, a descendant whose parent ends becomes our child instead of init's, whatever it has done to its
 * environment, group and session. Where the system cannot do that, such a process may be lost to us. `parent`: our
 * parent, where it takes in orphans too.
 */
export async function takeInOrphans({ parent }: { parent?: ProcessIdentity } = {}): Promise<void> {
  above = parent;
  if (process.platform !== "linux" || takesIn) return;
  takesIn = true;
  calls ??= await systemCalls();
  // Before the first one can come.
  if (calls) leaveOwnAlone();
  calls?.takeIn();
}

/** To this process come the orphans of its whole container, which has no init: nobody can tell whose they were. */
const isInit = process.platform === "linux" && process.pid === 1;

/** Lets go of what has ended in our container from now on, if nobody else does: every batch would leave a process. */
export async function buryAsInit(): Promise<void> {
  if (!isInit) return;
  calls ??= await systemCalls();
  setInterval(buryOrphans, buryEveryMs).unref();
}

async function systemCalls(): Promise<Calls | undefined> {
  const { dlopen } = await import("bun:ffi");
  for (const library of libraries) {
    try {
      const { symbols } = dlopen(library, {
        prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
        waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
      });
      return {
        takeIn: () => void symbols.prctl(setChildSubreaper, 1n, 0n, 0n, 0n),
        bury: (pid) => void symbols.waitpid(pid, null, withoutWaiting),
      };
    } catch {
      // Another C library, or a system that lets nobody call it like this.
    }
  }
  return undefined;
}

/** Children that we started ourselves. All others are orphans that came to us. */
const started = new Set<number>();

/** Whoever starts a child in a process that takes in orphans says so, or the child is taken for one. */
export function isNoOrphan<Child extends { pid: number; exited: Promise<unknown> }>(child: Child): Child {
  const { pid } = child;
  started.add(pid);
  const forget = () => void started.delete(pid);
  child.exited.then(forget, forget);
  return child;
}

/** Processes of the user's, and the sessions whose processes are: nobody's to end, though they come to us. */
const usersOwn = new Set<number>();

/**
 * Starts a program of the user's and waits for it. What it leaves behind is left alone: in its session, and what has come
 * to us meanwhile, for agents that stay make sessions of their own.
 */
export function leavingAlone<Program extends { pid: number }>(start: () => Program): Program {
  const before = new Set(childrenThatCame());
  const program = start();
  usersOwn.add(program.pid);
  for (const pid of childrenThatCame() ?? []) if (!before.has(pid)) leaveAlone(pid);
  return program;
}

// A shell that becomes us (`server & exec …`, and the last command of `sh -c` without a word) leaves us its children, and
// what they start may come to us too. In our own session is no process of `claude`, which gets one of its own.
function leaveOwnAlone(): void {
  const own = readStat(process.pid);
  if (own) usersOwn.add(own.session);
  const ofTable = () =>
    [...processTable()].flatMap(([pid, { parent }]) => (parent === process.pid ? [pid] : []));
  for (const pid of childrenOf(process.pid) ?? ofTable()) if (!started.has(pid)) leaveAlone(pid);
}

function leaveAlone(pid: number): void {
  const found = readStat(pid);
  if (!found) return;
  usersOwn.add(pid);
  usersOwn.add(found.session);
}

/**
 * The children of ours and of our parent that may be orphans. Nothing where we take in none, or the kernel does not tell.
 * Read twice: a list that is read while a child ends may lack another one.
 */
export function childrenThatCame(): number[] | undefined {
  if (!calls) return undefined;
  const parent = pidAbove();
  const parents = parent === undefined ? [process.pid] : [process.pid, parent];
  const lists = [...parents, ...parents].map(childrenOf);
  if (lists.includes(undefined)) return undefined;
  const children = new Set(lists.flatMap((list) => list ?? []));
  return [...children].filter((pid) => pid !== process.pid && !started.has(pid));
}

/**
 * The orphans that live, out of a look at the process table: ours, and those of our parent. None where those of others
 * come to us as well: what somebody starts by `docker exec` has no mark of ours, and neither has what emptied its environment.
 */
export function orphansIn(table: ProcessTable): [number, ProcessRow][] {
  if (!calls || isInit) return [];
  const own = process.pid;
  const parent = pidAbove();
  return [...table].filter(
    ([pid, row]) =>
      pid !== own &&
      !started.has(pid) &&
      !usersOwn.has(pid) &&
      !usersOwn.has(row.session) &&
      (row.parent === own || row.parent === parent),
  );
}

/** Ended children of the look before. What Bun started it has let go of by the next look. */
let endedBefore = new Set<number>();

/** Lets go of orphans that have ended: nobody else waits for them. To be called every now and then. */
export function buryOrphans(): void {
  if (!calls) return;
  const ended = new Set(ownChildren().filter((pid) => !started.has(pid) && readStat(pid)?.state === "Z"));
  for (const pid of ended) if (endedBefore.has(pid)) calls.bury(pid);
  endedBefore = ended;
}

// Those that came to us are children of our first thread.
function ownChildren(): number[] {
  const text = textAt(`/proc/self/task/${process.pid}/children`) ?? "";
  return text.split(" ").filter(Boolean).map(Number);
}
