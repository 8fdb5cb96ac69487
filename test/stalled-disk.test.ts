// An output directory whose disk answers nobody for a while, as one on a network does: files wait, and nothing else.
import { expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { connectNew, eventually, filesIn, Home } from "./harness.ts";

/** A directory that leads to another one through a process, which can be stopped. Nobody may look into it meanwhile. */
async function mounted(home: Home) {
  const behind = home.file("behind");
  for (const path of [behind, home.output]) mkdirSync(path);
  const disk = Bun.spawn(["bindfs", "-f", behind, home.output], { stdout: "ignore", stderr: "ignore" });
  await eventually(
    () => Bun.spawnSync(["mountpoint", "-q", home.output]).success,
    () => "it is not mounted",
  );
  return {
    behind,
    stall: () => disk.kill("SIGSTOP"),
    goOn: () => disk.kill("SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      disk.kill("SIGCONT");
      Bun.spawnSync(["umount", "-l", home.output]);
      await disk.exited;
    },
  };
}

testNeeding("a disk that stalls")(
  "while the disk of the output directory stalls, sessions end, are cancelled, run out of time and give their slots on",
  async () => {
    await using home = new Home();
    await using disk = await mounted(home);
    await using client = await connectNew(home);
    const gates = ["one", "two", "three", "four"].map((name) => home.file(name));
    const [first, second, third, fourth] = gates.map((gate) => `[[wait-for-file path=${gate}]] said`);
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [first, second, third, fourth],
      concurrency: 2,
      asyncMode: true,
      outputDirectory: home.output,
    });
    const batchId = String(data?.["batchId"]);
    using store = home.store();
    const row = () => store.list()[0];
    const log = store.batch(row()?.batchId ?? never()) ?? never();
    const until = (isSo: () => boolean, what: string) =>
      eventually(
        () => {
          log.refresh();
          return isSo();
        },
        () => `${what}: ${JSON.stringify(log.state.tasks.map(({ status }) => status))}`,
      );
    await until(
      () => log.state.counts.running === 2 && filesIn(disk.behind).includes("index.html"),
      "two do not run",
    );
    disk.stall();
    await Bun.write(gates[0] ?? "", "");
    // Its slot goes to the third one.
    await until(() => log.state.counts.succeeded === 1, "the first one does not end");
    await until(() => log.state.tasks[2]?.status === "running", "the third one does not begin");
    log.append(() => [{ type: "cancel-requested", by: "user", tasks: [2] }]);
    await until(() => log.state.counts.cancelled === 1, "the second one is not cancelled");
    await until(() => log.state.tasks[3]?.status === "running", "the fourth one does not begin");
    for (const gate of gates.slice(2)) await Bun.write(gate, "");
    await until(() => log.state.counts.succeeded === 3, "the last ones do not end");
    // The end is told when all is written.
    expect(log.state.endedAt).toBeUndefined();
    expect(filesIn(disk.behind).filter((name) => name.startsWith("result-"))).toEqual([]);
    disk.goOn();
    await until(() => log.state.endedAt !== undefined, "the batch does not end");
    const names = filesIn(disk.behind);
    expect(names.filter((name) => name.startsWith("result-"))).toHaveLength(3);
    expect(names.filter((name) => name.startsWith("error-"))).toHaveLength(1);
    expect(names.filter((name) => name.endsWith(".part"))).toEqual([]);
    const lines = (await Bun.file(join(disk.behind, `results-${batchId}.jsonl`)).text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).taskIndex).sort()).toEqual([1, 2, 3, 4]);
    expect(names).toContain(`summary-${batchId}.json`);
    expect(log.state.fileFailures.size).toBe(0);
  },
);

testNeeding("a disk that stalls")(
  "while the disk stalls, a session runs out of time when it should",
  async () => {
    await using home = new Home();
    await using disk = await mounted(home);
    await using client = await connectNew(home);
    const gate = home.file("gate");
    await client.call("spawn_parallel_claude_sessions", {
      tasks: [`[[wait-for-file path=${gate}]]`, { task: "[[hang]]", timeoutSeconds: 1 }],
      concurrency: 1,
      retries: 0,
      asyncMode: true,
      outputDirectory: home.output,
    });
    using store = home.store();
    await eventually(
      () => store.list()[0]?.counts.running === 1 && filesIn(disk.behind).includes("index.html"),
      () => "it does not run",
    );
    disk.stall();
    // The time of the second one begins only then, however slow the machine is.
    await Bun.write(gate, "");
    await eventually(
      () => store.list()[0]?.counts.failed === 1,
      () => `it goes on: ${JSON.stringify(store.list()[0]?.counts)}`,
    );
    disk.goOn();
    await eventually(
      () => store.list()[0]?.endedAt !== undefined,
      () => "the batch does not end",
    );
  },
);

testNeeding("a disk that stalls")(
  "a retry that begins and ends while the last files wait for the disk is in all of them",
  async () => {
    await using home = new Home();
    await using disk = await mounted(home);
    await using client = await connectNew(home);
    const gate = home.file("gate");
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [`[[wait-for-file path=${gate}]] said`],
      asyncMode: true,
      outputDirectory: home.output,
    });
    const batchId = String(data?.["batchId"]);
    using store = home.store();
    const log = store.batch(store.list()[0]?.batchId ?? never()) ?? never();
    const until = (isSo: () => boolean, what: string) =>
      eventually(
        () => {
          log.refresh();
          return isSo();
        },
        () => what,
      );
    await until(() => filesIn(disk.behind).includes("index.html"), "it does not begin");
    disk.stall();
    await Bun.write(gate, "");
    await until(() => log.state.counts.succeeded === 1, "it does not end");
    log.append(() => [{ type: "retry-requested", tasks: [], succeeded: [1] }]);
    await until(() => log.state.tasks[0]?.attempts.length === 2, "it does not run again");
    await until(() => log.state.counts.succeeded === 1, "it does not end again");
    disk.goOn();
    await until(() => log.state.endedAt !== undefined, "the batch does not end");
    const lines = (await Bun.file(join(disk.behind, `results-${batchId}.jsonl`)).text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ taskIndex: 1, attempts: 2 }]);
    const summary = await Bun.file(join(disk.behind, `summary-${batchId}.json`)).json();
    expect(summary).toMatchObject({ results: [{ attempts: 2 }] });
    const page = await Bun.file(join(disk.behind, `report-${batchId}.html`)).text();
    expect(page).toContain('data-running="no"');
  },
);

testNeeding("a disk that stalls")(
  "while the disk stalls, a server answers for the batch without the paths of its files, and other requests meanwhile",
  async () => {
    await using home = new Home();
    await using disk = await mounted(home);
    await using client = await connectNew(home);
    const tasks = ["one"];
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks,
      asyncMode: true,
      outputDirectory: home.output,
    });
    const batchId = String(data?.["batchId"]);
    await client.call("wait_for_batch", { batchId });
    disk.stall();
    const reading = client.call("read_batch_results", { batchId });
    const { data: listed } = await client.call("list_batches", {});
    expect(listed).toMatchObject({ batches: [{ batchId, state: "finished" }] });
    const { data: read } = await reading;
    expect(read).toMatchObject({ results: [{ taskIndex: 1, status: "success" }] });
    expect(JSON.stringify(read)).not.toContain("resultFile");
    disk.goOn();
    // As soon as the disk has answered what it was asked meanwhile.
    let again = read;
    while (!JSON.stringify(again).includes("resultFile"))
      again = (await client.call("read_batch_results", { batchId })).data;
    expect(again).toMatchObject({ results: [{ resultFile: expect.stringContaining(home.output) }] });
  },
);

function never(): never {
  throw new Error("no batch");
}
