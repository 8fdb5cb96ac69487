// Which session an attempt has, as the log knows it.
import { z } from "zod";
import { type ProcessIdentity, processIdentity } from "../platform/process-identity.ts";

/** A session of another host, by the id that this host knows it by. */
const foreignSession = z.object({ host: z.string(), id: z.string() });

/** A process of this machine stands as it always has, so that logs of every age can be read. */
export const sessionRef = z.union([foreignSession, processIdentity]);
export type SessionRef = z.infer<typeof sessionRef>;

/** The process of a session that runs on this machine; nothing of one that runs on another host. */
export function localProcess(ref: SessionRef | undefined): ProcessIdentity | undefined {
  return ref === undefined || "host" in ref ? undefined : ref;
}
