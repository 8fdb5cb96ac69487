// A batch of one task that waits for a file, and the programs that run such a batch: a process that has run a batch takes
// in orphans from then on, so no test runs one in its own process.
import { join } from "node:path";
import type { BatchLog, Founding } from "../../src/store/batch-log.ts";
import type { Store } from "../../src/store/store.ts";
import { fakeClaude, type Home, ofProgram } from "../harness.ts";
import { batchOf } from "../store/samples.ts";

/**
 * A batch of one task in the log, without any process. Its session creates the file `started`, waits for the file `gate`, and
 * then follows `directive`.
 */
export function gatedBatch(
  home: Home,
  store: Store,
  directive: string,
  more: Partial<Founding["batch"]> = {},
): BatchLog {
  const founding = batchOf(1);
  const prompt = `[[touch path=${home.file("started")}]] [[wait-for-file path=${home.file("gate")}]] ${directive}`;
  return store.create(
    {
      ...founding,
      batch: {
        ...founding.batch,
        tasks: [{ prompt }],
        concurrency: 1,
        slots: 1,
        outputDirectory: home.output,
        claudePath: fakeClaude,
        workingDirectory: home.work,
        ...more,
      },
    },
    Date.now(),
  );
}

/** One whose session fails. */
export function failingBatch(
  home: Home,
  store: Store,
  sessionOptions: Founding["batch"]["sessionOptions"] = {},
  more: Partial<Founding["batch"]> = {},
): BatchLog {
  const options = { ...sessionOptions, retries: 0 };
  return gatedBatch(home, store, "[[max-turns]]", { sessionOptions: options, ...more });
}

/** What a program of this folder prints, which gets the state directory, the batch, `gate` and `started`. */
export async function printedBy(program: string, home: Home, { batchId }: BatchLog): Promise<unknown> {
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, program),
      home.state,
      batchId,
      home.file("gate"),
      home.file("started"),
    ],
    { env: { ...home.environment, ...ofProgram }, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if (err !== "") throw new Error(err);
  return JSON.parse(out);
}
