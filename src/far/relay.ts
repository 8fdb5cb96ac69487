// What ssh starts on a far machine: connects its standard input and output with the keeper there, which it starts if there
// is none. It knows nothing of what passes, and its end ends nothing.
import { cleanEnvironment } from "../claude/environment.ts";
import { clock } from "../platform/clock.ts";
import { closeDescriptor, makePrivateDirectory, openForAppending } from "../platform/files.ts";
import { isNoOrphan } from "../platform/orphans.ts";
import { writeAll } from "../platform/output.ts";
import { selfCommand } from "../platform/self.ts";
import { messageOf } from "../platform/system-error.ts";
import { farCommands, farFiles } from "./commands.ts";
import { greeting } from "./greeting.ts";

/** How long a keeper may take to listen, in milliseconds. */
const startMs = 15_000;

/** Passes on until one side ends. `folder`: of far sessions. Returns an exit status. */
export async function relay(folder: string, stateDirectory: string): Promise<number> {
  makePrivateDirectory(folder);
  process.chdir(folder);
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  let toUs: Promise<unknown> = writeAll(1, new TextEncoder().encode(greeting));
  let drained = Promise.withResolvers<void>();
  const handlers = {
    // One after the other, however slow the reader is.
    data: (socket: { pause(): void; resume(): void }, bytes: Uint8Array) => {
      socket.pause();
      toUs = toUs
        .then(() => writeAll(1, bytes))
        .then(
          () => socket.resume(),
          () => end(),
        );
    },
    drain: () => drained.resolve(),
    close: () => void toUs.finally(end),
    error: () => end(),
  };
  const socket = await connected(handlers, stateDirectory);
  if (!socket) return 1;
  const passOn = async (): Promise<void> => {
    for await (const piece of Bun.stdin.stream())
      for (let rest: Uint8Array = piece; rest.length > 0; ) {
        drained = Promise.withResolvers();
        const written = Math.max(0, socket.write(rest));
        rest = rest.subarray(written);
        if (rest.length > 0) await Promise.race([drained.promise, isOver]);
      }
    socket.end();
  };
  void passOn().catch(() => end());
  await isOver;
  return 0;
}

async function connected(
  handlers: {
    data(socket: { pause(): void; resume(): void }, bytes: Uint8Array): void;
    drain(): void;
    close(): void;
    error(): void;
  },
  stateDirectory: string,
) {
  const deadline = performance.now() + startMs;
  for (let isStarted = false; ; ) {
    try {
      return await Bun.connect({ unix: farFiles.socket, socket: handlers });
    } catch (error) {
      if (performance.now() > deadline) {
        console.error(`The keeper of far sessions does not listen in ${process.cwd()}: ${messageOf(error)}`);
        return undefined;
      }
    }
    // Several may be started at once; all but one leave again.
    if (!isStarted) startKeeper(stateDirectory);
    isStarted = true;
    await clock.next("handover");
  }
}

// In a session of its own, so that it does not end with the connection.
function startKeeper(stateDirectory: string): void {
  const log = openForAppending(farFiles.log);
  try {
    isNoOrphan(
      Bun.spawn([...selfCommand(), farCommands.keeper, stateDirectory], {
        cwd: stateDirectory,
        env: cleanEnvironment(process.env),
        stdin: "ignore",
        stdout: log,
        stderr: log,
        detached: true,
        windowsHide: true,
      }),
    ).unref();
  } finally {
    closeDescriptor(log);
  }
}
