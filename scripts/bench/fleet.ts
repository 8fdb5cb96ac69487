// A fleet on one machine: two workers of eight slots each, and a Redis on loopback, with tasks that take no time.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SubmitterQueue } from "../../src/fleet/submitter-queue.ts";
import { fleetTiming } from "../../src/fleet/timing.ts";
import { outputOf } from "../command.ts";
import { type Line, median, type Row, Skipped } from "./row.ts";
import type { Workshop } from "./workshop.ts";

const workers = 2;
const slots = 8;
/** Jobs in the queue at once, as a runner has with so many slots. */
const inQueue = 2 * workers * slots;
/** What the queue must be able to hand out, in tasks a second. */
const wantedRate = 600;
/** Of a batch with sessions, and of one whose tasks only pass the queue. */
const sessions = 400;
const jobs = 4_000;

const key = "0123456789abcdef0123456789abcdef0123456789a";

export const fleet: Row = {
  name: "fleet",
  measure: async (workshop) => {
    if (Bun.which("redis-server") === null) throw new Skipped("there is no `redis-server` on the PATH");
    const [queue, here, away]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < workshop.extent.rounds; round++) {
      queue.push(await queueRate(workshop));
      here.push(await batchRate(workshop, { isFleet: false }));
      away.push(await batchRate(workshop, { isFleet: true }));
    }
    const own = median(here);
    const rate = median(queue);
    return [
      {
        figure: `tasks a second through queue and ledger, ${workers} workers × ${slots}`,
        value: rate.toFixed(0),
        target: `≥ ${wantedRate}`,
        met: rate >= wantedRate,
      },
      {
        figure: "tasks a second with a process for each session, the workers on this machine",
        value: median(away).toFixed(0),
        beside: `${own.toFixed(0)} without a fleet`,
        ratio: median(away) / own,
      },
    ] satisfies Line[];
  },
};

/** Tasks a second. */
async function queueRate(workshop: Workshop): Promise<number> {
  await using redis = await startRedis(workshop);
  await using started = new Children();
  for (let index = 0; index < workers; index++)
    await started.start([
      process.execPath,
      join(import.meta.dir, "fleet-worker.ts"),
      redis.url,
      key,
      `w${index}`,
      String(slots),
    ]);
  const fleet = { name: "bench", url: redis.url, key, blobs: workshop.directory, s3: {}, shared: [] };
  await using submitter = await SubmitterQueue.open({ fleet, timing: fleetTiming(), say: console.error });
  const run = (number: number) =>
    submitter.run(
      `b-${number}-1`,
      async () => ({
        v: 1,
        batchId: "b",
        number,
        attempt: 1,
        spec: { task: "What is 2 + 2?" },
        work: { kind: "empty" },
      }),
      { isAgain: false, progressed: () => undefined },
    );
  // Until both take part.
  await Promise.all(Array.from({ length: 100 }, (_, index) => run(index + 1)));
  let next = 101;
  const since = performance.now();
  const one = async () => {
    while (next <= jobs + 100) await run(next++);
  };
  await Promise.all(Array.from({ length: inQueue }, one));
  return (jobs / (performance.now() - since)) * 1000;
}

/** Tasks a second of a whole batch, with its log, transcripts, result files and page. */
async function batchRate(workshop: Workshop, { isFleet }: { isFleet: boolean }): Promise<number> {
  const [program, child] = [await workshop.program(), await workshop.child()];
  const directory = workshop.newDirectory();
  await using redis = await startRedis(workshop);
  await using started = new Children();
  const secret = async (name: string, text: string) => {
    const path = join(directory, name);
    await Bun.write(path, text);
    chmodSync(path, 0o600);
    return path;
  };
  const settings = {
    url: redis.url,
    keyFile: await secret("key", key),
    blobs: join(directory, "blobs"),
    shared: [directory],
    policy: { directories: [directory] },
  };
  mkdirSync(join(directory, ".config", "parallel-claude-code-mcp"), { recursive: true });
  await Bun.write(
    join(directory, ".config", "parallel-claude-code-mcp", "config.json"),
    JSON.stringify({ fleets: { bench: settings } }),
  );
  const tasks = join(directory, "tasks.json");
  await Bun.write(
    tasks,
    JSON.stringify(Array.from({ length: sessions }, (_, index) => `What is 2 + ${index}?`)),
  );
  const environment = (state: string) => ({
    ...workshop.environmentIn(directory),
    PARALLEL_CLAUDE_STATE_DIRECTORY: join(directory, state),
    PARALLEL_CLAUDE_CLAUDE_PATH: child,
    // Of each machine: a worker takes its slots, and a batch without a fleet all of them.
    PARALLEL_CLAUDE_CONCURRENCY: String(isFleet ? slots : workers * slots),
    PARALLEL_CLAUDE_LOGIN_PROOF_SECONDS: "0",
  });
  for (let index = 0; isFleet && index < workers; index++)
    await started.start(
      [program, "worker", "--fleet", "bench", "--name", `w${index}`],
      environment(`state-${index}`),
    );
  const since = performance.now();
  await outputOf([program, "run", "-f", tasks, "--json", ...(isFleet ? ["--fleet", "bench"] : [])], {
    cwd: directory,
    env: environment("state"),
  });
  return (sessions / (performance.now() - since)) * 1000;
}

async function startRedis(workshop: Workshop): Promise<{ url: string } & AsyncDisposable> {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  const directory = workshop.newDirectory();
  const server = Bun.spawn(
    [
      "redis-server",
      "--port",
      String(port),
      "--bind",
      "127.0.0.1",
      "--dir",
      directory,
      "--appendonly",
      "yes",
      "--save",
      "",
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "ignore" },
  );
  await said(server.stdout, "Ready to accept");
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.kill();
      await server.exited;
    },
  };
}

/** Processes that end with what they were started for. */
class Children implements AsyncDisposable {
  readonly #all: Bun.Subprocess[] = [];

  /** Resolves when it says that it takes tasks. */
  async start(command: string[], env: Record<string, string | undefined> = process.env): Promise<void> {
    const child = Bun.spawn(["sh", "-c", 'exec "$@" 2>&1', "sh", ...command], {
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    this.#all.push(child);
    await said(child.stdout, /ready|takes up to/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#all) child.kill();
    await Promise.all(this.#all.map(({ exited }) => exited));
  }
}

// Goes on reading, so that nobody waits for a full pipe.
async function said(stream: ReadableStream<Uint8Array<ArrayBuffer>>, text: string | RegExp): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  void (async () => {
    let all = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      all = `${all}${chunk}`.slice(-10_000);
      if (all.search(text) >= 0) resolve();
    }
    reject(new Error(`It ended: ${all}`));
  })();
  await promise;
}
