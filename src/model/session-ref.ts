// Which session an attempt has, as the log stores it.
import { z } from "zod";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** A session on another host, by that host's id for it. */
const foreignSession = z.object({ host: z.string(), id: z.string() });

/** A process of this machine has the format it always had, so that old logs can be read. */
export const sessionRef = z.union([foreignSession, processIdentity]);
export type SessionRef = z.infer<typeof sessionRef>;

/** The machine of a session, if it is not this one. */
export function hostOf(ref: SessionRef | undefined): string | undefined {
  return ref !== undefined && "host" in ref ? ref.host : undefined;
}

/** The process of a session on this machine; undefined for another host's. */
export function localProcess(ref: SessionRef | undefined): ProcessIdentity | undefined {
  return ref === undefined || "host" in ref ? undefined : ref;
}

const fleetPrefix = "fleet:";

/** The session of a job, on a worker that is not known yet. */
export function fleetSession(fleet: string, job: string): SessionRef {
  return { host: `${fleetPrefix}${fleet}`, id: job };
}

/** The job of a session that a fleet runs; undefined for any other. */
export function fleetJobOf(ref: SessionRef | undefined): string | undefined {
  return ref !== undefined && "host" in ref && ref.host.startsWith(fleetPrefix) ? ref.id : undefined;
}
