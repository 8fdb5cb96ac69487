// In the place of `src/platform/private-files.ts`: a command waits at the gate `COMMAND_GATE` between what it has planned and
// what it writes into the log.
import { hiddenCommands } from "../../src/engine/runner/hidden-commands.ts";
import * as own from "../../src/platform/private-files.ts";

export * from "../../src/platform/private-files.ts";

// Before another module has its place.
const { writePrivateFiles: write } = own;
// A runner writes such files as well, and has the environment of the command.
const isCommand = !Object.values<string>(hiddenCommands).includes(process.argv[2] ?? "");
const gate = isCommand ? process.env["COMMAND_GATE"] : undefined;

export async function writePrivateFiles(...files: Parameters<typeof write>): Promise<void> {
  if (gate !== undefined) await passed(gate);
  await write(...files);
}

async function passed(path: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Bun.connect({
    unix: path,
    socket: { open: (socket) => void socket.write("here"), data: () => undefined, close: () => resolve() },
  });
  await promise;
}
