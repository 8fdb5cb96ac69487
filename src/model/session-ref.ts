// Which session an attempt has, as the log stores it.
import { z } from "zod";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** A session on another host, by that host's id for it. */
const hostSession = z.strictObject({ host: z.string(), id: z.string() });

/** The job of a fleet, by the fleet's name; its session is on a worker that is not known yet. */
const fleetSession = z.strictObject({ fleet: z.string(), job: z.string() });

/** The session of another task, as `BATCH/TASK`, whose answer was taken over. Never in a log. */
const reusedSession = z.strictObject({ reused: z.string() });

/** A process of this machine has the format it always had, so that old logs can be read. */
export const sessionRef = z.union([hostSession, fleetSession, reusedSession, processIdentity]);
export type SessionRef = z.infer<typeof sessionRef>;

/** The machine of a session that a host runs; undefined for any other. */
export function hostOf(ref: SessionRef | undefined): string | undefined {
  return ref !== undefined && "host" in ref ? ref.host : undefined;
}

/** The process of a session on this machine; undefined for any other. */
export function localProcess(ref: SessionRef | undefined): ProcessIdentity | undefined {
  return ref !== undefined && "pid" in ref ? ref : undefined;
}

/** The job of a session that a fleet runs; undefined for any other. */
export function fleetJobOf(ref: SessionRef | undefined): string | undefined {
  return ref !== undefined && "fleet" in ref ? ref.job : undefined;
}
