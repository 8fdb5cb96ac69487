// The options of a retry: checked like those of a new batch, and converted to what the log stores.
import type { Batch } from "../model/event.ts";
import { type RetryOptions, sessionOptions } from "../model/options.ts";
import type { BatchState } from "../model/state.ts";
import { isOptionOfSummary } from "../model/task-options.ts";
import type { PrivateFile } from "../platform/private-files.ts";
import { layoutOf } from "../store/layout.ts";
import { commandFaults } from "./check-faults.ts";
import { checkVersion } from "./claude-version.ts";
import { stateDirectoryOf } from "./configuration.ts";
import { type Context, InputError } from "./context.ts";
import { distinct, faultsAt, wrong } from "./fault.ts";
import { fleetDirectoryFaults, fleetOptionFaults } from "./fleet-faults.ts";
import { inputFaults } from "./input-faults.ts";
import { Places } from "./places.ts";
import { pick, type RawOptions } from "./raw-options.ts";
import { combinedFaults, sessionFaults, versionNeeded } from "./session-faults.ts";
import { SettingsFiles } from "./settings-files.ts";
import { textFaults } from "./text-faults.ts";

interface Given {
  changes: RetryOptions;
  claudePath: string;
  /** The tasks that get them; 1-based. */
  tasks: readonly number[];
}

/** Of the sessions; undefined if none was given. */
interface PlannedChanges {
  options: RawOptions | undefined;
  /** To be written before they are used. */
  files: PrivateFile[];
}

function directoryOf({ sessionOptions: { workingDirectory }, workingDirectory: start }: Batch): string {
  return typeof workingDirectory === "string" ? workingDirectory : start;
}

const sessionNames = Object.keys(sessionOptions.shape);

/** Throws `InputError` with all their faults. */
export async function plannedChanges(
  context: Context,
  { batch }: BatchState,
  { changes, claudePath, tasks }: Given,
): Promise<PlannedChanges> {
  const written = pick(changes, sessionNames);
  if (Object.keys(written).length === 0) return { options: undefined, files: [] };
  // On a command line they are beside all other options.
  const place = context.door === "tools" ? ["with"] : [];
  const faults = faultsAt(place, textFaults(written));
  const places = new Places(context, faults);
  const needed = versionNeeded(changes);
  const checked = await checkVersion(context, claudePath, needed);
  const own = places.absolute(changes, written, {
    place,
    // A person means paths from their own directory; a client's model, from the batch's.
    ...(context.door === "tools" ? { base: directoryOf(batch) } : {}),
  });
  const directory = own["workingDirectory"];
  const workingDirectory = typeof directory === "string" ? directory : directoryOf(batch);
  const { version: claudeVersion } = checked;
  faults.push(...faultsAt(place, sessionFaults(own, { context, claudeVersion, workingDirectory })));
  const matches = new Map<string, boolean>();
  for (const number of tasks) {
    const { values, options, summary } = batch.tasks[number - 1] ?? {};
    if (summary)
      faults.push(
        ...Object.keys(own)
          .filter((name) => !isOptionOfSummary(name))
          .map((name) =>
            wrong(
              [...place, name],
              `cannot be given to task ${number}, which only reads results for a summary; name other tasks`,
            ),
          ),
      );
    const merged = { ...batch.sessionOptions, ...options, ...own };
    faults.push(...faultsAt(place, combinedFaults(merged)));
    const at = typeof merged["workingDirectory"] === "string" ? merged["workingDirectory"] : workingDirectory;
    const ofInputs = await inputFaults(changes, values, { context, workingDirectory: at, matches });
    faults.push(...faultsAt(place, ofInputs));
    const command = changes.expect?.command;
    if (command !== undefined) faults.push(...faultsAt(place, commandFaults(command, values)));
  }
  if (batch.fleet) {
    faults.push(...faultsAt(place, fleetOptionFaults(own)));
    const asked = typeof directory === "string" ? new Map([[directory, place]]) : new Map();
    if (faults.length === 0) faults.push(...(await fleetDirectoryFaults(asked, batch.fleet)));
  }
  if (faults.length > 0) throw new InputError(distinct(faults));
  const files = new SettingsFiles(layoutOf(stateDirectoryOf(context.configuration)), batch.batchId, places);
  return { options: files.stored(own), files: files.all() };
}
