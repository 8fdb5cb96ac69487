// Our whole program on macOS's paths, on Linux: its processes, groups, memory and identities come from a library that
// imitates macOS's, where programs of the system do not show their environment. See `platform/imitation/`.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localProcess } from "../src/model/session-ref.ts";
import { describeNeeding } from "./facilities.ts";
import { connectNew, eventually, filesIn, Home, run, useProgram } from "./harness.ts";
import { FakeMac } from "./platform/imitation/fake-mac.ts";
import { buildMacProgram } from "./platform/imitation/mac-program.ts";

const microseconds = /^1[0-9]{15}$/;

describeNeeding("Linux", "a C compiler")("as on macOS", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "pccm-mac-program-")));
  let mac: FakeMac | undefined;
  let using: Disposable | undefined;

  beforeAll(async () => {
    mac = new FakeMac();
    const program = join(folder, "parallel-claude-code-mcp");
    await buildMacProgram(program, mac.root);
    using = useProgram([program]);
  });

  afterAll(() => {
    using?.[Symbol.dispose]();
    mac?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test("a batch of three ends, its processes are known by microseconds, and its files lie in macOS's folders", async () => {
    await using home = new Home({ PARALLEL_CLAUDE_STATE_DIRECTORY: "" });
    const { code, out, err } = await run(home, ["run", "--json", "one", "two", "three"]);
    expect(err).toContain("All 3 tasks succeeded");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ counts: { succeeded: 3 } });
    expect(filesIn(join(home.path, "Library/Application Support"))).not.toEqual([]);
    await home.empty();
  });

  test("a command of Apple's in a session of its own ends with its batch, though nobody can see its marker", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    using store = home.store();
    await client.call("spawn_parallel_claude_sessions", {
      asyncMode: true,
      tasks: ["[[grandchild]] [[hang]]"],
    });
    const sleeps = () => home.processes().filter(({ command }) => command.startsWith("sleep "));
    await eventually(
      () => sleeps().length === 1,
      () => `not one sleep: ${JSON.stringify(home.processes())}`,
    );
    const row = store.list()[0];
    if (!row) throw new Error("no batch");
    expect(row.runner?.startTicks).toMatch(microseconds);
    await client.call("cancel_batch", { batchId: row.batchId });
    await eventually(
      () => sleeps().length === 0 && store.row(row.batchId)?.endedAt !== undefined,
      () => `still there: ${JSON.stringify(home.processes())}`,
    );
  });

  test("a killed runner is replaced, and the next one carries its session to the end", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    using store = home.store();
    const gate = home.file("gate");
    const prompt = `[[wait-for-file path=${gate}]] [[answer text=42]]`;
    await client.call("spawn_parallel_claude_sessions", { asyncMode: true, tasks: [prompt] });
    const batchId = store.list()[0]?.batchId;
    if (!batchId) throw new Error("no batch");
    const session = () => localProcess(store.batch(batchId)?.state.tasks[0]?.attempts[0]?.identity);
    await eventually(
      () => session() !== undefined,
      () => "no session",
    );
    const before = store.row(batchId)?.runner;
    if (!before) throw new Error("no runner");
    process.kill(before.pid, "SIGKILL");
    await eventually(
      () => (store.row(batchId)?.runner?.pid ?? before.pid) !== before.pid,
      () => "no other runner",
    );
    await Bun.write(gate, "");
    const answer = await client.call("wait_for_batch", { batchId });
    expect(answer.data).toMatchObject({ state: "finished", counts: { succeeded: 1 } });
    expect(store.batch(batchId)?.state.tasks[0]?.attempts).toHaveLength(1);
  });
});
