// A batch on a fleet, from one end to the other: a submitter, workers and a Redis, all as processes.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync, symlinkSync, unlinkSync } from "node:fs";
import { spentSince } from "../../src/store/spent.ts";
import { Store } from "../../src/store/store.ts";
import { describeNeeding } from "../facilities.ts";
import { asked } from "../fake-notes.ts";
import { eventually, fakeClaude, program, run } from "../harness.ts";
import { newestRow } from "../running.ts";
import { OwnBatch } from "./own-batch.ts";
import { OwnFleet } from "./own-fleet.ts";

describeNeeding("redis")("a batch on a fleet", () => {
  /** With one worker, for tests that do no harm to it. */
  let shared: OwnFleet;
  beforeAll(async () => {
    shared = await OwnFleet.create({ policy: { options: ["settings"] } });
    await shared.worker("box-1", { environment: { PARALLEL_CLAUDE_FLEET: "team" } });
  });
  afterAll(async () => {
    await shared[Symbol.asyncDispose]();
  });

  test("runs on the fleet of the configuration, and its workers run it themselves", async () => {
    const { home } = shared;
    // The worker, too, was started with this setting.
    await using child = Bun.spawn([...program(), "run", "[[answer text=yes]]"], {
      cwd: home.work,
      env: { ...home.environment, PARALLEL_CLAUDE_FLEET: "team" },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    expect(await child.stdout.text()).toBe("yes\n");
    expect(JSON.parse((await run(home, ["results", "latest", "--json"])).out).results).toMatchObject([
      { host: "box-1" },
    ]);
  }, 120_000);

  test("stops at the first answer that matches, and takes settings from a file along", async () => {
    const { home } = shared;
    await Bun.write(home.file("own.json"), JSON.stringify({ cleanupPeriodDays: 17 }));
    const tasks = ["[[answer text=no]]", "[[answer text=FOUND]]", "c", "d"];
    const { results } = await new OwnBatch(home, tasks, [
      ...["--settings", home.file("own.json"), "--concurrency", "1"],
      ...["--stop-when-found", "1", "--stop-when-where-pattern", "^FOUND"],
    ]).answer();
    expect(results.map(({ outcome }) => outcome)).toEqual([
      "succeeded",
      "succeeded",
      "cancelled: stop-when",
      "cancelled: stop-when",
    ]);
    // As the worker's own file.
    const [, file = ""] =
      /--settings=([^"]*state-box-1[^"]*\.json)/.exec(readFileSync(home.startsLog, "utf8")) ?? [];
    expect(file).not.toBe("");
  }, 120_000);

  test("repeats on the worker what a second try can fix, and counts all that was spent", async () => {
    const { home } = shared;
    const once = home.file("once");
    const task = `[[cost usd=0.25]] [[refused status=500 kind=api_error text=Odd once=${once}]] [[answer text=better]]`;
    const { results } = await new OwnBatch(home, [task]).answer();
    expect(results).toMatchObject([{ result: expect.any(String), status: "success", costUsd: 0.5 }]);
    expect(results[0]?.remarks?.join(" ")).toContain("2 attempts");
  }, 120_000);

  test("says in list, results and logs where a task ran", async () => {
    const { home } = shared;
    const said = await run(home, ["run", "--fleet", "team", "[[answer text=yes]]"]);
    expect(said).toMatchObject({ code: 0, out: "yes\n" });
    expect((await run(home, ["logs", "latest", "1"])).out).toContain("Ran on box-1");
    expect(JSON.parse((await run(home, ["results", "latest", "--json"])).out).results).toMatchObject([
      { host: "box-1" },
    ]);
    const [page = ""] = new Bun.Glob("**/report-*.html").scanSync({ cwd: home.output, absolute: true });
    expect(await Bun.file(page).text()).toContain("succeeded on box-1");
  }, 120_000);

  test("lets tasks of other models go on while one model has reached its limit", async () => {
    const { home, redis } = shared;
    const before = newestRow(home)?.batchId;
    const batch = new OwnBatch(home, [
      { task: "[[usage-limit type=seven_day_opus resets-in=3600]]", model: "opus" },
      { task: "[[answer text=yes]]", model: "sonnet" },
    ]);
    // The one may answer before the other has met its limit, or after.
    const delayed = () =>
      redis.connection.zscore("bull:fleet1-default:delayed", `${newestRow(home)?.batchId}-1-1`);
    await eventually(
      async () =>
        newestRow(home)?.batchId !== before &&
        newestRow(home)?.counts.succeeded === 1 &&
        (await delayed()) !== null,
      () => JSON.stringify(newestRow(home)),
    );
    expect(await redis.connection.pttl("bull:fleet1-default:limiter")).toBeLessThan(0);
    const { batchId = "" } = newestRow(home) ?? {};
    await run(home, ["cancel", batchId]);
    expect((await batch.answer()).results[1]).toMatchObject({ result: "yes" });
  }, 120_000);

  test("stops at the budget of the batch", async () => {
    const { home } = shared;
    const task = (word: string) => `[[cost usd=0.4]] [[answer text=${word}]]`;
    const { results } = await new OwnBatch(home, ["a", "b", "c", "d"].map(task), [
      ...["--batch-budget-usd", "0.5", "--concurrency", "1"],
    ]).answer();
    expect(results.slice(0, 2).map(({ status }) => status)).toEqual(["success", "success"]);
    expect(results.at(-1)).toMatchObject({ outcome: "cancelled: budget" });
  }, 120_000);

  test("runs on its workers, and its answers come back with their costs", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1");
    await fleet.worker("box-2");
    const tasks = Array.from(
      { length: 6 },
      (_, index) => `[[cost usd=0.25]] [[answer text=answer-${index}]]`,
    );
    await Bun.write(home.file("tasks.json"), JSON.stringify(tasks));
    const { code, out, err } = await run(home, [
      "run",
      "--fleet",
      "team",
      "-f",
      home.file("tasks.json"),
      "--json",
    ]);
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    const answer = JSON.parse(out);
    expect(answer.results.map(({ result }: { result: string }) => result)).toEqual(
      tasks.map((_, index) => `answer-${index}`),
    );
    expect(answer.totalCostUsd).toBeCloseTo(1.5, 6);
    expect(asked(home).length).toBe(6);
    // The batch has all results, so the queue's server keeps none of them for a week.
    const { connection } = fleet.redis;
    const results = await connection.keys("led:*:done");
    expect(results).toHaveLength(6);
    for (const result of results) expect(await connection.pttl(result)).toBeLessThan(600_001);
    // No session may read what its worker's secrets are.
    const started = readFileSync(home.startsLog, "utf8");
    expect(started).toContain(`Read(/${home.file("fleet.key")})`);
    expect(started).toContain(`Edit(/${home.file("redis.password")})`);
  }, 120_000);

  test("sends the files of a repository, uncommitted ones too, and brings changes back as branches", async () => {
    await using fleet = await OwnFleet.create({
      policy: { repositories: ["/*/origin.git"], permissionModes: ["acceptEdits"] },
    });
    const { home } = fleet;
    const git = (directory: string, ...words: string[]) => {
      const name = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"];
      const { stdout, stderr, exitCode } = Bun.spawnSync(["git", ...name, ...words], { cwd: directory });
      if (exitCode !== 0) throw new Error(stderr.toString());
      return stdout.toString().trim();
    };
    const [origin, own] = [home.file("origin.git"), home.file("own")];
    git(home.path, "init", "--quiet", "--bare", origin);
    git(home.path, "clone", "--quiet", origin, own);
    await Bun.write(`${own}/a.txt`, "committed");
    git(own, "add", "--all");
    git(own, "commit", "--quiet", "--message", "First");
    git(own, "push", "--quiet", "origin", "HEAD");
    await Bun.write(`${own}/b.txt`, "not committed");
    await fleet.worker("box-1");
    const task = {
      task: "[[shell command='cat a.txt b.txt > c.txt']] [[answer text=done]]",
      key: "c",
      permissionMode: "acceptEdits",
    };
    const { results } = await new OwnBatch(home, [task], ["--working-directory", own]).answer();
    expect(results).toMatchObject([{ result: "done", host: "box-1" }]);
    const branch = /branch (\S+)\./.exec(results[0]?.remarks?.join(" ") ?? "")?.[1] ?? "";
    expect(git(own, "show", `${branch}:c.txt`)).toBe("committednot committed");
    expect(git(own, "status", "--porcelain")).toBe("?? b.txt");
    expect(readdirSync(own).sort()).toEqual([".git", "a.txt", "b.txt"]);
  }, 120_000);

  test("refuses on the worker what its policy does not allow, and spends nothing", async () => {
    await using fleet = await OwnFleet.create({ policy: { permissionModes: ["plan"] } });
    const { home } = fleet;
    await fleet.worker("box-1");
    const { results } = await new OwnBatch(home, [{ task: "a", permissionMode: "acceptEdits" }]).answer();
    expect(results).toMatchObject([
      { status: "error", error: expect.stringContaining("does not allow the permission mode acceptEdits") },
    ]);
    expect(asked(home)).toEqual([]);
  }, 120_000);

  test("waits for the end of a usage limit, on all workers, and counts no attempt", async () => {
    await using fleet = await OwnFleet.create();
    const { home, redis } = fleet;
    await fleet.worker("box-1");
    await fleet.worker("box-2");
    // Refused only until the file is there, as a limit is until its reset.
    const reset = home.file("reset");
    const limited = `[[refused status=429 kind=rate_limit text="You have reached your usage limit" until=${reset} event='{"status":"rejected","resetsAt":${Math.floor(Date.now() / 1000) + 3600},"rateLimitType":"five_hour"}']] [[answer text=after]]`;
    const batch = new OwnBatch(home, [limited]);
    const isPaused = async () => (await redis.connection.pttl("bull:fleet1-default:limiter")) > 0;
    while (!(await isPaused())) await Bun.sleep(50);
    const askedBefore = asked(home).length;
    expect(askedBefore).toBe(1);
    const { batchId } = newestRow(home) ?? {};
    expect(Number(await redis.connection.hget(`bull:fleet1-default:${batchId}-1-1`, "atm"))).toBe(0);
    await Bun.write(reset, "");
    // What the account's workers wait for is over: first on each of them, so that none pauses the account again.
    for (const name of ["box-1", "box-2"]) {
      const state = home.file(`state-${name}`);
      using store = new Store(state);
      store.database.run("DELETE FROM holds");
    }
    await redis.connection.del("bull:fleet1-default:limiter");
    const { results } = await batch.answer();
    expect(results).toMatchObject([{ result: "after", status: "success" }]);
  }, 120_000);

  test("leaves a worker alone whose login does not work, and runs its task on another one", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const broken = await fleet.worker("broken");
    const good = home.file("good");
    const batch = new OwnBatch(home, [
      `[[refused status=401 kind=authentication_error text="Invalid API key" until=${good}]] [[answer text=yes]]`,
    ]);
    await broken.says("Takes no tasks for");
    await Bun.write(good, "");
    await fleet.worker("box-2");
    expect((await batch.answer()).results).toMatchObject([{ result: "yes", host: "box-2" }]);
  }, 120_000);

  test("leaves a task to others that is signed with another key than a worker has", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.configure({
      keyFile: await fleet.secret("odd.key", "another key with its forty-three characters"),
    });
    const odd = await fleet.worker("odd");
    await fleet.configure();
    const batch = new OwnBatch(home, ["[[answer text=yes]]"]);
    await odd.says("Takes no tasks for 60 s: A task is signed with another key");
    await fleet.worker("box-2");
    expect((await batch.answer()).results).toMatchObject([{ result: "yes", host: "box-2" }]);
  }, 120_000);

  test("leaves a task to others if Claude Code is gone from a worker", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const own = home.file("own-claude");
    symlinkSync(fakeClaude, own);
    const broken = await fleet.worker("broken", { environment: { PARALLEL_CLAUDE_CLAUDE_PATH: own } });
    unlinkSync(own);
    const batch = new OwnBatch(home, ["[[answer text=yes]]"]);
    await broken.says("Takes no tasks for 60 s");
    await fleet.worker("box-2");
    expect((await batch.answer()).results).toMatchObject([{ result: "yes", host: "box-2" }]);
    expect(asked(home).length).toBe(1);
  }, 120_000);

  test("has no worker where Claude Code is missing, which says so and ends", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    const environment = { PARALLEL_CLAUDE_CLAUDE_PATH: home.file("nothing") };
    const worker = await fleet.worker("box-1", { isAwaited: false, environment });
    expect(await worker.exited).toBe(2);
    await worker.hasEnded;
    expect(worker.said).toContain("This machine can run no task");
    expect(worker.said).toContain("Nothing was started.");
  }, 120_000);

  test("counts what it cost once, if its worker has the same store", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1", { environment: { PARALLEL_CLAUDE_STATE_DIRECTORY: home.state } });
    const { totalCostUsd } = await new OwnBatch(home, ["[[cost usd=0.25]] [[answer text=yes]]"]).answer();
    expect(totalCostUsd).toBeCloseTo(0.25, 6);
    using store = new Store(home.state);
    // The worker's own batch goes right after that.
    await eventually(
      () => store.list().length === 1,
      () => JSON.stringify(store.list()),
    );
    expect(spentSince(store.database, 0)).toBeCloseTo(0.25, 6);
  }, 120_000);

  test("has workers that say as JSON what they take", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await using child = Bun.spawn(
      [...program(), "worker", "--fleet", "team", "--name", "box", "--slots", "8", "--json"],
      {
        cwd: home.work,
        // The machine's own setting: more tasks would only wait here.
        env: { ...home.environment, PARALLEL_CLAUDE_CONCURRENCY: "3" },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    let said = "";
    for await (const chunk of child.stdout) {
      said += new TextDecoder().decode(chunk);
      if (said.trimEnd().endsWith("}")) break;
    }
    expect(JSON.parse(said)).toEqual({ name: "box", slots: 3, fleet: "team", url: fleet.redis.plainUrl });
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect(await child.stderr.text()).toContain("so `--slots 8` is not reached");
  }, 120_000);
});
