// Uses a program as its users do, in a home of its own: both eras of the protocol, the tools, a batch of three, a
// client that ends. What is not as it must be is thrown, and names itself.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { tools } from "../../../src/operations/tools.ts";
import { batchAnswerSchema } from "../../../src/report/answer.ts";
import {
  clients,
  connectNew,
  eventually,
  Home,
  run,
  type TestClient,
  useProgram,
} from "../../../test/harness.ts";
import { release } from "../release.ts";

const declared = tools.map(({ name }) => name);
const tasks = ["Say one", "Say two", "Say three"];

/** What the table tells of a program that does all that it must. */
export const handshakes = clients.map(({ era }) => era.replace(" client", "")).join(", ");

/** Uses a program; throws an error that says what is wrong. Without a batch, up to the list of tools. */
export async function use(
  command: string[],
  environment: Record<string, string>,
  { withoutBatch = false } = {},
): Promise<void> {
  using _ = useProgram(command);
  {
    await using home = new Home(environment);
    const version = await run(home, ["--version"]);
    expectEqual("--version", version.out.trim(), release.version);
    const wrong = await run(home, ["run"]);
    expectEqual("the exit status after wrong usage", wrong.code, 2);
  }
  for (const { era, connect } of clients) {
    await using home = new Home(environment);
    {
      await using client = await connect(home);
      expectEqual(
        `${era}: the tools`,
        (await client.listTools()).map(({ name }) => name),
        declared,
      );
      if (!withoutBatch) await runThree(client, era);
    }
    await home.empty();
  }
  if (!withoutBatch) await endBySignal(environment);
}

async function runThree(client: TestClient, era: string): Promise<void> {
  const started = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
  if (started.isError) throw new Error(`${era}: the batch was refused: ${started.text}`);
  const { batchId, outputDirectory } = batchAnswerSchema.parse(started.data);
  let state = "running";
  while (state === "running") {
    const waited = await client.call("wait_for_batch", { batchId });
    state = z.object({ state: z.string() }).parse(waited.data).state;
  }
  const summary = await Bun.file(join(outputDirectory, `summary-${batchId}.json`)).json();
  const { results, reportFile } = batchAnswerSchema.parse(summary);
  expectEqual(
    `${era}: the results`,
    results.map(({ result, error }) => result ?? error),
    tasks.map((task) => `Answer to: ${task}`),
  );
  const missing = [reportFile, ...results.map(({ resultFile }) => resultFile)].filter(
    (file) => file === undefined || !existsSync(file),
  );
  if (missing.length > 0) throw new Error(`${era}: there is no ${missing.join(", ")}`);
}

// A signal to the process that the client has started must reach the server behind it, and all that it runs.
async function endBySignal(environment: Record<string, string>): Promise<void> {
  await using home = new Home(environment);
  await using client = await connectNew(home);
  const call = client.call("spawn_claude_session", { task: "[[hang]]" }).catch(() => undefined);
  await eventually(
    () => existsSync(home.startsLog),
    () => "no session starts",
  );
  process.kill(client.pid, "SIGTERM");
  await home.empty();
  await call;
}

function expectEqual(what: string, seen: unknown, expected: unknown): void {
  if (Bun.deepEquals(seen, expected)) return;
  throw new Error(`${what}: ${JSON.stringify(expected)} expected, not ${JSON.stringify(seen)}`);
}
