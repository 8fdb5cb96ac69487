// Starts this program once more, as one of the processes of a batch.
import { cleanEnvironment } from "../../claude/environment.ts";
import { hasValues, noValues, type SessionValues, valuesText } from "../../model/session-values.ts";
import { type Environment, joined } from "../../platform/environment.ts";
import { isNoOrphan } from "../../platform/orphans.ts";
import { selfCommand } from "../../platform/self.ts";
import { type HiddenCommand, valuesOnStdin } from "./hidden-commands.ts";

/** What a process of a batch gets. */
interface Given {
  stateDirectory: string;
  batchId: string;
  /** The descriptor that it prints to; our own output if absent. */
  log?: number;
  /** Overrides our own environment. */
  environment?: Record<string, string>;
  /** Go through a pipe, because a file would keep them and a command line would show them. */
  values?: SessionValues;
}

/** Of the variables that Bun obeys, the only ones that these processes get, and no session does. */
export const bunSwitches = {
  // Without its last compiler, which works on a thread of its own, they take less processor time.
  BUN_JSC_useFTLJIT: "0",
  // Of a larger machine, it would keep several times as much garbage as data before it collects any.
  BUN_JSC_forceRAMSize: String(256 * 1024 * 1024),
  // Garbage is looked for once this many times the data is there, among what is new; and among everything only once
  // this share of it is left for what is new. With the usual values (2 and a third), three times the data would gather.
  BUN_JSC_smallHeapGrowthFactor: "1.35",
  BUN_JSC_minEdenToOldGenerationRatio: "0.2",
};

/** Starts it in a process group of its own. Throws if there is no process or descriptor for it. */
export function spawnSelf(
  command: HiddenCommand,
  { stateDirectory, batchId, log, environment = {}, values = noValues }: Given,
) {
  const isFed = hasValues(values);
  const output = log ?? "inherit";
  const child = isNoOrphan(
    Bun.spawn([...selfCommand(), command, stateDirectory, batchId, ...(isFed ? [valuesOnStdin] : [])], {
      cwd: stateDirectory,
      env: joined([cleanEnvironment(process.env), switches(process.env), environment]),
      stdin: isFed ? "pipe" : "ignore",
      stdout: output,
      stderr: output,
      detached: true,
      windowsHide: true,
    }),
  );
  return {
    exited: child.exited,
    get signalCode() {
      return child.signalCode;
    },
    unref: () => child.unref(),
    /** Resolves when the child has the values, or has exited, which its exit status shows. */
    fed: feed(child.stdin, values).catch(() => undefined),
  };
}

// The user's own ones stay.
function switches(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(bunSwitches).map(([name, value]) => [name, environment[name] ?? value]),
  );
}

async function feed(stdin: Bun.FileSink | undefined, values: SessionValues): Promise<void> {
  if (!stdin) return;
  stdin.write(valuesText(values));
  await stdin.end();
}
