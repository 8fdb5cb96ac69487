// A batch whose only task fails, and the programs that run it: a process that has run a batch takes in orphans from then
// on, so no test runs one in its own process.
import { join } from "node:path";
import type { BatchLog, Founding } from "../../src/store/batch-log.ts";
import type { Store } from "../../src/store/store.ts";
import { fakeClaude, type Home } from "../harness.ts";
import { batchOf } from "../store/samples.ts";

/** Its session creates the file `began`, and fails as soon as there is a file `gate`. */
export function failingBatch(
  home: Home,
  store: Store,
  sessionOptions: Founding["batch"]["sessionOptions"] = {},
  more: Partial<Founding["batch"]> = {},
): BatchLog {
  const founding = batchOf(1);
  const prompt = `[[touch path=${home.file("began")}]] [[wait-for-file path=${home.file("gate")}]] [[max-turns]]`;
  return store.create(
    {
      ...founding,
      batch: {
        ...founding.batch,
        tasks: [{ prompt }],
        sessionOptions: { ...sessionOptions, retries: 0 },
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

/** What a program of this folder prints, which gets the state directory, the batch, `gate` and `began`. */
export async function printedBy(program: string, home: Home, { batchId }: BatchLog): Promise<unknown> {
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, program),
      home.state,
      batchId,
      home.file("gate"),
      home.file("began"),
    ],
    { env: home.environment, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if (err !== "") throw new Error(err);
  return JSON.parse(out);
}
