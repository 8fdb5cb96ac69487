// Batches whose processes were in a container that is gone, or on a host that has another name since: they block nobody,
// and every command says what is so, and gets out of it.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { rowOf } from "../src/platform/process.ts";
import { childrenOf, commandOf } from "../src/platform/process-table.ts";
import { testNeeding } from "./facilities.ts";
import { connectNew, databaseIn, eventually, Home, kill, program, run, useProgram } from "./harness.ts";
import { newestRow, untilAsked, untilKept, untilRunning } from "./running.ts";

const testInContainers = testNeeding("namespaces of one's own");

/** Starts a detached batch of two tasks that wait for the gate, in a pid namespace and under a host's name of its own. */
async function inContainer(home: Home): Promise<{ batchId: string; end(): Promise<void> }> {
  const task = `[[wait-for-file path=${home.file("gate")}]] [[answer text="done"]]`;
  const container = Bun.spawn(
    [
      ...["unshare", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"],
      ...["sh", "-c", 'hostname container; "$@"; exec sleep 1000', "sh"],
      ...[...program(), "run", task, task, "--detach"],
    ],
    { cwd: home.work, env: home.environment, stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  const { batchId } = await untilRunning(home, 2);
  return {
    batchId,
    end: async () => {
      container.kill("SIGKILL");
      await container.exited;
      await home.empty();
    },
  };
}

/** As if the last sign of life were so much older. */
function later(home: Home, seconds: number): void {
  using database = databaseIn(home.state);
  const ms = seconds * 1000;
  database.query("UPDATE batches SET alive_at = alive_at - ? WHERE ended_at IS NULL").run(ms);
  database.query("UPDATE pool_slots SET claimed_at = claimed_at - ?").run(ms);
}

const far = "Its processes are in another container or on another machine, and last reported";

testInContainers(
  "a killed container blocks its account for a minute at most, and retry resumes its batch",
  async () => {
    await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "2" });
    const { batchId, end } = await inContainer(home);
    // As long as it lives, nobody takes its batch.
    expect((await run(home, ["show", batchId])).out).toContain(far);
    await end();
    // It has left out two reports.
    later(home, 31);
    const silent = await run(home, ["doctor"]);
    expect(silent.out).toContain(far);
    expect(silent.code).toBe(1);
    const refused = await run(home, ["retry", batchId]);
    expect(refused.err).toContain(far);
    expect(refused.code).toBe(2);
    later(home, 30);
    const { out } = await run(home, ["doctor"]);
    expect(out).toContain(`${batchId} is interrupted, with 2 tasks to do.`);
    expect(out).toContain(`retry ${batchId}\``);
    // Its slots are free, all of them.
    const other = await run(home, ["run", "hello", "hello again"]);
    expect(other.code).toBe(0);
    await Bun.write(home.file("gate"), "");
    expect((await run(home, ["retry", batchId])).out).toContain("The batch has resumed.");
    await run(home, ["wait", batchId]);
    const shown = JSON.parse((await run(home, ["show", batchId, "--json"])).out);
    expect(shown).toMatchObject({ state: "finished", counts: { succeeded: 2 } });
    await home.empty();
  },
);

const container = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** The first process of a container, as it is called outside. */
function firstIn(containerPid: number): number {
  const [first = ""] = readFileSync(`/proc/${containerPid}/task/${containerPid}/children`, "utf8").split(" ");
  return Number(first);
}

/** The children of a process that have ended, and of which nobody has let go. */
function zombiesOf(parent: number): number[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").split(" ").filter(Boolean);
  return children.map(Number).filter((pid) => rowOf(pid)?.state === "Z");
}

testInContainers("a run without an init in its container ends nothing that others start there", async () => {
  await using home = new Home();
  const [gate, other] = [home.file("gate"), home.file("other")];
  const tasks = [`[[wait-for-file path=${gate}]]`, `[[wait-for-file path=${other}]]`];
  const child = Bun.spawn([...container, ...program(), "run", ...tasks, "--concurrency", "1"], {
    cwd: home.work,
    env: home.environment,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await untilRunning(home);
  // As `docker exec` does it: in the container, and not below us until its parent has gone.
  const script = "setsid sleep 1000 > /dev/null 2>&1 & setsid true > /dev/null 2>&1 &";
  const enter = ["nsenter", "--target", String(firstIn(child.pid)), "--pid", "--mount"];
  const entered = Bun.spawnSync([...enter, "sh", "-c", script], { env: { PATH: home.environment["PATH"] } });
  expect(entered.exitCode).toBe(0);
  const first = firstIn(child.pid);
  const sleeps = () => childrenOf(first)?.filter((pid) => commandOf(pid)[0] === "sleep");
  await eventually(
    () => sleeps()?.length === 1,
    () => "what was started there is not there",
  );
  await Bun.write(gate, "");
  await eventually(
    () => newestRow(home)?.counts.succeeded === 1 && newestRow(home)?.counts.running === 1,
    () => "the second task does not begin",
  );
  expect(sleeps()).toHaveLength(1);
  await eventually(
    () => zombiesOf(first).length === 0,
    () => `of ${zombiesOf(first)} nobody lets go`,
  );
  await Bun.write(other, "");
  expect(await child.exited).toBe(0);
  await home.empty();
});

testInContainers("a server without an init in its container leaves no ended processes about", async () => {
  await using home = new Home();
  using _contained = useProgram([...container, ...program()]);
  await using client = await connectNew(home);
  await client.call("spawn_parallel_claude_sessions", { tasks: ["one"] });
  const first = firstIn(client.pid);
  await eventually(
    () => childrenOf(first)?.length === 0,
    () => `still there: ${childrenOf(first)}, ended: ${zombiesOf(first)}`,
  );
});

testInContainers("cancel ends the batch of a killed container, and prune removes it", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "2" });
  const { batchId, end } = await inContainer(home);
  await end();
  expect((await run(home, ["cancel", batchId])).out).toContain(`It is being cancelled. ${far}`);
  later(home, 61);
  const pruned = await run(home, ["prune", "--older-than", "0"]);
  expect(pruned.out).toContain("1 batch of that age has not ended and is kept.");
  expect(pruned.out).toContain("`cancel BATCH` ends one that nobody runs any more");
  await run(home, ["cancel", batchId]);
  await run(home, ["wait", batchId]);
  const shown = JSON.parse((await run(home, ["show", batchId, "--json"])).out);
  expect(shown).toMatchObject({ state: "cancelled", counts: { cancelled: 2 } });
  await home.empty();
  expect((await run(home, ["prune", "--older-than", "0"])).out).toContain("Removed 1 batch");
});

testInContainers("a host that is renamed keeps its batches, and whoever is killed is followed", async () => {
  await using home = new Home();
  const gate = home.file("gate");
  await run(home, ["run", `[[wait-for-file path=${gate}]] [[answer text="done"]]`, "--detach"]);
  const { batchId, epoch } = await untilRunning(home);
  await untilAsked(home);
  const renamed = async (...args: string[]) => {
    const child = Bun.spawn(
      ["unshare", "--uts", "sh", "-c", 'hostname renamed; exec "$@"', "sh", ...program(), ...args],
      { cwd: home.work, env: home.environment, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    return child.stdout.text();
  };
  const running = await renamed("show", "latest");
  expect(running).not.toContain("another machine");
  await kill(...(await untilKept(home)));
  await renamed("list");
  await eventually(
    () => (newestRow(home)?.epoch ?? 0) > epoch,
    () => "nobody took the batch over",
  );
  await Bun.write(gate, "");
  await run(home, ["wait", "latest"]);
  // Adopted, and not begun again.
  expect(newestRow(home)).toMatchObject({ counts: { succeeded: 1 } });
  using store = home.store();
  expect(store.batch(batchId)?.state.tasks[0]?.attempts).toHaveLength(1);
});
