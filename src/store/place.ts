// Where the store lies. A copy of a store that is still there must leave the processes alone that its rows name: they
// work for the other one.
import type { Database } from "bun:sqlite";
import { z } from "zod";
import { batchIdSchema } from "../model/batch-id.ts";
import type { EventBody } from "../model/event.ts";
import type { BatchState } from "../model/state.ts";
import { fileIdentity, realPath } from "../platform/files.ts";
import { BatchLog, type LogPlace } from "./batch-log.ts";
import { layoutOf } from "./layout.ts";

const factName = "state-directory";

/** Notes where the store lies. The first one to open a copy makes it stand on its own. */
export function notePlace(place: LogPlace): void {
  const { database } = place;
  const here = realPath(place.stateDirectory);
  if (placeIn(database) === here) return;
  database
    .transaction(() => {
      const before = placeIn(database);
      if (before !== undefined && before !== here && isOtherStore(before, here)) standAlone(place);
      database.query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(factName, here);
    })
    .immediate();
}

function placeIn(database: Database): string | undefined {
  const row = database.query<unknown, [string]>("SELECT value FROM facts WHERE name = ?").get(factName);
  return row ? z.object({ value: z.string() }).parse(row).value : undefined;
}

// The same file under two paths (a mount, a link) is one store. Nothing there: it was moved, or restored.
function isOtherStore(before: string, here: string): boolean {
  const other = fileIdentity(layoutOf(before).database);
  return other !== undefined && other !== fileIdentity(layoutOf(here).database);
}

/** What holds something in the store, beside the batches themselves. */
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

// Its sessions answer the other store; here, their tasks are begun anew if somebody wants them.
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
