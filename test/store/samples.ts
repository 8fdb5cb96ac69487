// What tests of the store have in common.
import { newBatchId } from "../../src/model/batch-id.ts";
import type { Batch, EventBody } from "../../src/model/event.ts";
import { identityOf, ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import type { Founding } from "../../src/store/batch-log.ts";
import { idle } from "../idle.ts";

/** The first event of a batch with this many tasks. */
export function batchOf(tasks: number): Founding {
  const batch: Batch = {
    batchId: newBatchId(),
    startedBy: "run",
    asyncMode: true,
    tasks: Array.from({ length: tasks }, (_, index) => ({ prompt: `task ${index + 1}` })),
    sessionOptions: {},
    concurrency: 2,
    failureMode: "continue",
    outputDirectory: "/nowhere",
    claudePath: "/bin/true",
    workingDirectory: "/",
  };
  return { type: "batch-created", batch, account: { hash: "h", environment: {} } };
}

/** The first attempt at a task begins, in this process. */
export function started(task: number): EventBody {
  return {
    type: "attempt-started",
    task,
    attempt: 1,
    identity: ownIdentity(),
    sessionId: `s-${task}`,
    transcript: "/t",
  };
}

/** Of a container that was killed and made again, or of another machine: nobody can ever tell whether it lives. */
export const lost: ProcessIdentity = {
  ...ownIdentity(),
  namespace: "of a container that is gone",
  machine: "another",
};

/** A process that lives until it is ended. */
export function living(): { identity: ProcessIdentity; end(): Promise<void> } {
  const child = Bun.spawn(idle);
  const identity = identityOf(child.pid);
  if (!identity) throw new Error("no identity");
  return {
    identity,
    end: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** The identity of a process that has been and gone. */
export async function goneIdentity(): Promise<ProcessIdentity> {
  const { identity, end } = living();
  await end();
  return identity;
}
