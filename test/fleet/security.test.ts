// Who cannot use a fleet: without the password, TLS or the key, nothing runs and nothing is paid for. With the server, the
// user and the files of docs/fleet.md.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Queue } from "../../src/fleet/bullmq.ts";
import { fleetJob, jobIdOf } from "../../src/fleet/job.ts";
import { Ledger } from "../../src/fleet/ledger.ts";
import { jobName, queueNameOf } from "../../src/fleet/queue-names.ts";
import { unsealed } from "../../src/fleet/sealed.ts";
import { signed } from "../../src/fleet/signature.ts";
import { describeNeeding } from "../facilities.ts";
import { asked } from "../fake-notes.ts";
import { eventually, program, run } from "../harness.ts";
import { DocumentedFleet } from "./documented-fleet.ts";
import { OwnBatch } from "./own-batch.ts";
import { OwnWorker } from "./own-fleet.ts";

/** Works in the home's directory, which all share; the key of the fleet is readable for the test. */
class Secured implements AsyncDisposable {
  readonly fleet: DocumentedFleet;
  readonly #workers: OwnWorker[] = [];

  private constructor(fleet: DocumentedFleet) {
    this.fleet = fleet;
    this.configure();
  }

  static async start(): Promise<Secured> {
    return new Secured(await DocumentedFleet.start());
  }

  configure(changed: Record<string, unknown> = {}): void {
    const { home } = this.fleet;
    const policy = { directories: [home.work] };
    this.fleet.configure({ shared: [home.work], policy, ...changed });
  }

  secret(name: string, text: string): string {
    const path = join(this.fleet.folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  }

  get key(): Promise<string> {
    return Bun.file(join(this.fleet.folder, "fleet.key"))
      .text()
      .then((text) => text.trim());
  }

  worker(name: string): OwnWorker {
    const worker = new OwnWorker(this.fleet.home, name, ["--slots", "2"]);
    this.#workers.push(worker);
    return worker;
  }

  /** Kills the workers, and forgets what was asked of them. */
  async quiet(): Promise<void> {
    for (const worker of this.#workers.splice(0)) await worker.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quiet();
    await this.fleet[Symbol.asyncDispose]();
  }
}

describeNeeding(
  "redis",
  "openssl",
  "sh",
  "modes of files",
)("the fleet of docs/fleet.md", () => {
  let secured: Secured;
  beforeAll(async () => {
    secured = await Secured.start();
  });
  afterAll(async () => {
    await secured[Symbol.asyncDispose]();
  });

  const kept: [what: string, settings: () => Record<string, unknown>, words: string][] = [
    [
      "another password",
      () => ({ passwordFile: secured.secret("wrong", "not the password") }),
      "refuses the user or the password",
    ],
    [
      "no TLS",
      () => ({ url: `redis://fleet@127.0.0.1:${secured.fleet.port}` }),
      "closed the connection; a port for TLS needs `rediss://`",
    ],
    ["an unknown authority", () => ({ ca: undefined }), "of an authority that this machine does not know"],
  ];
  for (const [what, settings, words] of kept) {
    test(`lets no batch run with ${what}, and says why`, async () => {
      secured.configure(settings());
      const { home } = secured.fleet;
      const child = Bun.spawn([...program(), "run", "x", "--fleet", "team"], {
        cwd: home.work,
        env: home.environment,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "pipe",
      });
      let said = "";
      const listening = (async () => {
        const decoder = new TextDecoder();
        for await (const chunk of child.stderr) said += decoder.decode(chunk, { stream: true });
      })();
      await eventually(
        () => said.includes(words),
        () => `it said: ${said}`,
      ).finally(() => child.kill("SIGTERM"));
      // It ends, although it never reached the server.
      await child.exited;
      await listening;
      secured.configure();
      expect(asked(home)).toEqual([]);
      // Once for the terminal and once for the state, and not for each of the many attempts.
      expect(said.split(words).length - 1).toBeLessThanOrEqual(3);
      expect(said).not.toContain("    at ");
    }, 120_000);
  }

  test("ends a worker with another password at once, and says why", async () => {
    secured.configure({ passwordFile: secured.secret("wrong", "not the password") });
    const { code, err } = await run(secured.fleet.home, ["worker", "--fleet", "team"]);
    secured.configure();
    expect(code).toBe(2);
    expect(err).toContain("refuses the user or the password");
    expect(err).not.toContain("not the password");
  });

  const job = {
    v: 1 as const,
    number: 1,
    attempt: 1,
    spec: { task: "[[answer text=paid]]" },
    work: { kind: "empty" as const },
  };
  type Job = Omit<typeof job, "spec"> & {
    batchId: string;
    spec: Record<string, unknown>;
    signature?: string;
  };
  const forged: [what: string, made: (job: Job, key: string) => object, words: RegExp][] = [
    ["without a signature", (one) => ({ ...one }), /signature/],
    ["with an empty signature", (one) => ({ ...one, signature: "" }), /not signed with this worker's key/],
    ["with another key", (one) => signed(one, "k".repeat(43)), /not signed with this worker's key/],
    [
      "whose prompt was changed",
      (one, key) => ({ ...signed(one, key), spec: { task: "[[answer text=changed]]" } }),
      /not signed with this worker's key/,
    ],
    [
      "with one more option",
      (one, key) => {
        const whole = signed(one, key);
        return { ...whole, spec: { ...whole.spec, permissionMode: "acceptEdits" } };
      },
      /not signed with this worker's key/,
    ],
    [
      "that was signed as another one",
      (one, key) => signed({ ...one, batchId: "earlier" }, key),
      /belongs to earlier-1-1/,
    ],
    [
      "with another key, which it names, for the fifth time",
      (one) => signed({ ...one, keyId: "deadbeef" }, "k".repeat(43)),
      /signed with another key, whose fingerprint is deadbeef/,
    ],
    ["of another version", (one, key) => signed({ ...one, v: 2 }, key), /version 2/],
  ];
  test("runs no task that is not signed, or that was changed; and runs one that is", async () => {
    const { home } = secured.fleet;
    const key = await secured.key;
    const redis = secured.fleet.connection({ maxRetriesPerRequest: null });
    const queue = new Queue(queueNameOf(), { connection: redis, skipVersionCheck: true });
    const ledger = new Ledger({ redis, leaseMs: 3_000 });
    const idOf = (batchId: string) => jobIdOf({ ...job, batchId });
    for (const [index, [, made]] of forged.entries()) {
      const batchId = `forged${index}`;
      // Another worker may have its key, until it has failed too often.
      await redis.hset(`led:{${idOf(batchId)}}:run`, "failures", 4);
      await queue.add(jobName, made({ ...job, batchId }, key), { jobId: idOf(batchId) });
    }
    const good = signed({ ...job, batchId: "good" }, key);
    expect(fleetJob.safeParse(good).success).toBe(true);
    await queue.add(jobName, good, { jobId: idOf("good") });
    const worker = secured.worker("box");
    await worker.says("takes up to");
    const ends = new Map<string, unknown>();
    const all = [...forged.map((_, index) => `forged${index}`), "good"];
    const look = async () => {
      for (const batchId of all) {
        const { result } = await ledger.ended(idOf(batchId));
        if (result !== undefined) ends.set(batchId, unsealed(idOf(batchId), result, key));
      }
    };
    const deadline = performance.now() + 100_000;
    while (ends.size < all.length && performance.now() < deadline) {
      await look();
      await Bun.sleep(50);
    }
    await queue.close();
    redis.disconnect();
    await secured.quiet();
    for (const [index, [what, , words]] of forged.entries())
      expect({ what, end: ends.get(`forged${index}`) }).toMatchObject({
        what,
        end: { kind: "refused", message: expect.stringMatching(words) },
      });
    expect(ends.get("good")).toMatchObject({ kind: "ended", outcome: { kind: "succeeded" } });
    expect(asked(home)).toHaveLength(1);
  }, 120_000);

  test("keeps transcripts of 5 MB out of Redis, and gives them back whole", async () => {
    const { home } = secured.fleet;
    const redis = secured.fleet.connection();
    const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
    const before = await used();
    const worker = secured.worker("box");
    await worker.says("takes up to");
    const tasks = Array.from({ length: 3 }, () => "[[answer bytes=5000000]]");
    const { results } = await new OwnBatch(home, tasks, ["--output-directory", home.output]).answer();
    await secured.quiet();
    expect(results.map(({ outcome }) => outcome)).toEqual(tasks.map(() => "succeeded"));
    const grown = (await used()) - before;
    redis.disconnect();
    expect(grown).toBeLessThan(3_000_000);
    for (const number of ["1", String(tasks.length)])
      expect((await run(home, ["results", "latest", number])).out.length).toBeGreaterThanOrEqual(5_000_000);
  }, 120_000);
});
