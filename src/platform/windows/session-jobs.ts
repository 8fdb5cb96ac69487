// A job of Windows for each session: everything that a session starts is in it, and nothing can leave it.
import { kernel32, ourselves, wide } from "./libraries.ts";
import { right, withProcess } from "./process-list.ts";
import { memberList, memberListHeader } from "./structures.ts";

/** A job that we have open, and the process that it was made for. */
interface Held {
  handle: bigint;
  leader: number;
}

/** Jobs of sessions that we started or took over, by marker. */
const held = new Map<string, Held>();

const all = 0x001f_001f;
/** The right to ask a job. */
const query = 0x0004;

/**
 * Puts a session that was just started into a job of its own. False if the system refuses: then its descendants are found
 * by their parents and their environments.
 */
export function gather(marker: string, leader: number): boolean {
  // Nobody can have made a job of this name before: the marker contains a random one.
  const handle = firstOf(marker, (name) => kernel32().CreateJobObjectW(null, name));
  if (handle === 0n) return false;
  const isIn = withProcess(leader, right.setQuota | right.terminate | right.duplicateHandle, (session) => {
    if (kernel32().AssignProcessToJobObject(handle, session) === 0) return false;
    leaveName(handle, session);
    return true;
  });
  if (isIn) held.set(marker, { handle, leader });
  else kernel32().CloseHandle(handle);
  return isIn ?? false;
}

/**
 * Keeps the name of a job as long as a process of the session lives: the name goes with the last handle, even if processes are
 * in the job. So the session gets one too, which can only ask, and which is inherited by what it starts.
 */
export function leaveName(job: bigint, session: bigint): void {
  kernel32().DuplicateHandle(ourselves, job, session, new BigUint64Array(1), query, 1, 0);
}

/** Opens the job of a session that another process started. False if it has none any more. */
export function gatherAgain(marker: string, leader: number): boolean {
  if (held.has(marker)) return true;
  const handle = open(marker);
  if (handle !== 0n) held.set(marker, { handle, leader });
  return handle !== 0n;
}

/** Forgets the job of a session that has ended with everything in it. */
export function release(marker: string): void {
  const job = held.get(marker);
  held.delete(marker);
  if (job) kernel32().CloseHandle(job.handle);
}

/** The pids in the job of a session, which another process may have started; undefined if there is no such job. */
export function membersOf(marker: string): number[] | undefined {
  const job = held.get(marker);
  if (job) return membersIn(job.handle);
  const handle = open(marker);
  if (handle === 0n) return undefined;
  try {
    return membersIn(handle);
  } finally {
    kernel32().CloseHandle(handle);
  }
}

/** The leader of each process that is in one of our sessions' jobs, by pid. */
export function leaders(): Map<number, number> {
  const found = new Map<number, number>();
  for (const { handle, leader } of held.values())
    for (const pid of membersIn(handle) ?? []) found.set(pid, leader);
  return found;
}

/** Ends everything in the job that was made for a process, at one moment. False if we have no such job open. */
export function terminateJobOf(leader: number): boolean {
  const job = [...held.values()].find((one) => one.leader === leader);
  return job !== undefined && kernel32().TerminateJobObject(job.handle, killedCode) !== 0;
}

/** The exit status of what we end, as Task Manager gives it. */
export const killedCode = 1;

function open(marker: string): bigint {
  return firstOf(marker, (name) => kernel32().OpenJobObjectW(all, 0, name));
}

// A session that was started from a desktop must be found from a remote shell too, but not every system lets us name
// things for all of a machine's sign-ins.
function firstOf(marker: string, call: (name: Buffer) => bigint): bigint {
  const name = `parallel-claude-${marker}`;
  const forAll = call(wide(`Global\\${name}`));
  return forAll === 0n ? call(wide(name)) : forAll;
}

const basicProcessIdList = 3;
/** More processes than this are in no session's job. */
const mostMembers = 1 << 16;

function membersIn(job: bigint): number[] | undefined {
  for (let room = 64; room <= mostMembers; room *= 4) {
    const list = Buffer.alloc(memberListHeader + 8 * room);
    // Fails too if the list is too short, but fills it as far as it goes.
    kernel32().QueryInformationJobObject(job, basicProcessIdList, list, list.length, null);
    const members = memberList(list);
    if (members) return members;
  }
  return undefined;
}
