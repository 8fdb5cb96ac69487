// Linux: adopts processes whose parents ended below us (as a subreaper), so that none escapes by leaving its parent.
import { clock } from "./clock.ts";
import { livenessOf, rowOf } from "./process.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { childrenOf, type ProcessTable, processTable } from "./process-table.ts";
import type { ProcessRow } from "./processes/system-processes.ts";
import { textAt } from "./system.ts";

/** The C library: its names with glibc and with musl. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];
const setChildSubreaper = 36;
const withoutWaiting = 1;

interface Calls {
  becomeSubreaper(): void;
  /** Reaps an ended child. */
  reap(pid: number): void;
}

let calls: Calls | undefined;
let takesIn = false;

/** A process above us that adopts orphans too: those of processes that stood between us. */
let above: ProcessIdentity | undefined;

// By its identity, not as our current parent: once that process has ended, our parent is init or a service manager, whose
// children are all the user's programs.
function pidAbove(): number | undefined {
  return above && livenessOf(above) === "alive" ? above.pid : undefined;
}

/**
 * Makes a descendant whose parent ends our child instead of init's, even if it changed its environment, group and
 * session. Where the system lacks this, such a process may escape. `parent`: our parent, if it adopts orphans too.
 */
export async function becomeSubreaper({ parent }: { parent?: ProcessIdentity } = {}): Promise<void> {
  above = parent;
  if (process.platform !== "linux" || takesIn) return;
  takesIn = true;
  calls ??= await systemCalls();
  // Before the first orphan can arrive.
  if (calls) leaveOwnAlone();
  calls?.becomeSubreaper();
}

/** Without an init, this process gets the orphans of its whole container, so an orphan's origin is unknown. */
const isInit = process.platform === "linux" && process.pid === 1;

/** Reaps the container's ended processes if nobody else does. Otherwise every batch would leave a zombie. */
export async function reapAsInit(): Promise<void> {
  if (!isInit) return;
  calls ??= await systemCalls();
  clock.on("second", reapOrphans, { keepsAlive: false });
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
        becomeSubreaper: () => void symbols.prctl(setChildSubreaper, 1n, 0n, 0n, 0n),
        reap: (pid) => void symbols.waitpid(pid, null, withoutWaiting),
      };
    } catch {
      // Another C library, or a system that forbids the call.
    }
  }
  return undefined;
}

/** Children that we started. All others are adopted orphans. */
const started = new Set<number>();

/** Register every child that an adopting process starts; otherwise it counts as an orphan. */
export function isNoOrphan<Child extends { pid: number; exited: Promise<unknown> }>(child: Child): Child {
  const { pid } = child;
  started.add(pid);
  const forget = () => void started.delete(pid);
  child.exited.then(forget, forget);
  return child;
}

/** Processes of the user's programs, and their sessions: never ours to end, even if we adopt them. */
const usersOwn = new Set<number>();

/**
 * Starts a program of the user's and waits for it. Spares what it leaves behind: everything in its session, and all
 * orphans adopted meanwhile, because agents that stay create their own sessions.
 */
export function leavingAlone<Program extends { pid: number }>(start: () => Program): Program {
  const before = new Set(childrenThatCame());
  const program = start();
  usersOwn.add(program.pid);
  for (const pid of childrenThatCame() ?? []) if (!before.has(pid)) leaveAlone(pid);
  return program;
}

// A shell that replaces itself with us (`server & exec …`, or the last command of `sh -c`) leaves us its children, and
// their children may be adopted too. No process of `claude` is in our session, because each gets its own.
function leaveOwnAlone(): void {
  const own = rowOf(process.pid);
  if (own) usersOwn.add(own.session);
  const ofTable = () =>
    [...processTable()].flatMap(([pid, { parent }]) => (parent === process.pid ? [pid] : []));
  for (const pid of childrenOf(process.pid) ?? ofTable()) if (!started.has(pid)) leaveAlone(pid);
}

function leaveAlone(pid: number): void {
  const found = rowOf(pid);
  if (!found) return;
  usersOwn.add(pid);
  usersOwn.add(found.session);
}

/**
 * The children of ours and of our parent that may be orphans. Undefined if we adopt none, or the kernel does not list
 * them. Read twice, because a list read while a child ends may miss another.
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
 * The living orphans in a process table: ours and our parent's. Empty if foreign orphans arrive here too, because a
 * process of `docker exec`, or one with an emptied environment, has no marker of ours.
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

/** Ended children at the previous call. Bun has reaped its own by the next call. */
let endedBefore = new Set<number>();

/** Reaps ended orphans, which nobody else waits for. Call periodically. */
export function reapOrphans(): void {
  if (!calls) return;
  const ended = new Set(ownChildren().filter((pid) => !started.has(pid) && rowOf(pid)?.state === "Z"));
  for (const pid of ended) if (endedBefore.has(pid)) calls.reap(pid);
  endedBefore = ended;
}

// Adopted processes are children of our first thread.
function ownChildren(): number[] {
  const text = textAt(`/proc/self/task/${process.pid}/children`) ?? "";
  return text.split(" ").filter(Boolean).map(Number);
}
