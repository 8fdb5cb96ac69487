// Values that travel through Redis: signed with the fleet's key, together with the job that they are about.

import type { JobId } from "./queue-names.ts";
import { isSigned, signed } from "./signature.ts";

/** What a run's cost is about, so that it counts once, however often somebody copies it. */
export function spendingOf(id: JobId, runId: string): JobId {
  return `${id} ${runId}`;
}

/** The value as text. Only the holder of the key can make one, and it means nothing for another job. */
export function sealed(id: JobId, value: unknown, key: string): string {
  return JSON.stringify(signed({ id, value }, key));
}

/** The value in such a text; undefined if it was not made with this key for this job. */
export function unsealed(id: JobId, text: string, key: string): unknown {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object" || read === null || !isSigned(read, key)) return undefined;
    return Reflect.get(read, "id") === id ? Reflect.get(read, "value") : undefined;
  } catch {
    // Another program's text.
    return undefined;
  }
}
