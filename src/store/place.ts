// Where the store lies. A copy must leave the processes in its rows alone if the original still exists: they work for
// that one.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import { batchIdSchema } from "../model/batch-id.ts";
import type { EventBody } from "../model/event.ts";
import type { BatchState } from "../model/state.ts";
import { fileIdentity, realPath } from "../platform/files.ts";
import { BatchLog, type LogPlace } from "./batch-log.ts";
import { isStorageTrouble } from "./database.ts";
import { factIn, noteFact } from "./facts.ts";
import { layoutOf } from "./layout.ts";

/** The directory, and the file in it: in a container, the same path may be another directory. */
const factNames = { path: "state-directory", file: "state-file", copied: "copied-at" } as const;

/** Where a store lies. Older programs recorded no `file`. */
interface Place {
  path?: string | undefined;
  file?: string | undefined;
}

/** Records where the store lies. The first program to open a copy detaches it from the original. */
export function notePlace(place: LogPlace): void {
  const { database } = place;
  const path = realPath(place.stateDirectory);
  const here = { path, file: fileIdentity(layoutOf(path).database) };
  const noted = notedPlace(database);
  if (isSame(noted, here)) return;
  const write = database.transaction(() => {
    if (isCopy(notedPlace(database), here)) {
      standAlone(place);
      noteFact(database, factNames.copied, String(Date.now()));
    }
    noteFact(database, factNames.path, here.path);
    if (here.file !== undefined) noteFact(database, factNames.file, here.file);
  });
  try {
    write.immediate();
  } catch (error) {
    // Only the number of its disk has changed. A store on a full disk must still open.
    if (noted.path !== here.path || !isStorageTrouble(error)) throw error;
  }
}

/**
 * When this store became a copy of another one (milliseconds since 1970), if it is one: what batches had written by then is
 * the original's.
 */
export function copiedAt(database: Database): number | undefined {
  const at = factIn(database, factNames.copied);
  return at === undefined ? undefined : Number(at);
}

function isSame(one: Place, other: Place): boolean {
  return one.path === other.path && (one.file === other.file || other.file === undefined);
}

function notedPlace(database: Database): Place {
  return { path: factIn(database, factNames.path), file: factIn(database, factNames.file) };
}

// The same file under two paths (a mount, a link) is one store. No file at the recorded path: it was moved or restored.
// Another file there than recorded: unknown, because in a container the path may lead to another store.
function isCopy(noted: Place, here: Place): boolean {
  if (noted.path === undefined || noted.path === here.path) return false;
  const there = fileIdentity(layoutOf(noted.path).database);
  if (there === undefined || there === here.file) return false;
  return noted.file === undefined || (noted.file !== here.file && noted.file === there);
}

/** Tables whose rows belong to processes, besides the batches themselves. */
const tablesOfProcesses = [
  "slots",
  "slot_waiters",
  "pool_slots",
  "pool_waiters",
  "pool_asks",
  "loads",
  "progress",
];

function standAlone(place: LogPlace): void {
  const { database } = place;
  for (const table of tablesOfProcesses) database.run(`DELETE FROM ${table}`);
  database.run("UPDATE holds SET prober = NULL, probed_at = 0");
  const rows = database.query<unknown, []>("SELECT batch_id FROM batches WHERE ended_at IS NULL").all();
  for (const row of rows) {
    const { batch_id: batchId } = z.object({ batch_id: batchIdSchema }).parse(row);
    BatchLog.open(place, batchId)?.disown(endsInCopy);
  }
}

// Its sessions belong to the other store; here, their tasks start over on request.
function endsInCopy({ tasks, leash }: BatchState): EventBody[] {
  const now = Date.now();
  const ends = tasks.flatMap(({ status, number, attempts }): EventBody[] => {
    const attempt = attempts.at(-1)?.number ?? 0;
    const outcome = { kind: "crashed" as const, stderrTail: copyText };
    return status === "running"
      ? [{ type: "attempt-ended", task: number, attempt, outcome, retryAt: now }]
      : [];
  });
  return leash ? [{ type: "leash-released" }, ...ends] : ends;
}

const copyText = "The state directory was copied while this session ran. Its answer is in the original.";
