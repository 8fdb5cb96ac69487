// What tells of the end of a batch that runs in the background.

import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { factsOf, noticesOf } from "../src/engine/output/notify.ts";
import { batchIdSchema } from "../src/model/batch-id.ts";
import { commandWords } from "../src/model/configuration.ts";
import type { BatchState } from "../src/model/state.ts";
import { printedBy } from "./engine/gated-batch.ts";
import { testNeeding } from "./facilities.ts";
import { eventually, Home, run } from "./harness.ts";

/** A home whose operator has a command of his own, which writes down what it was told. */
function homeWithCommand(script: string): Home {
  const more: Record<string, string> = {};
  const home = new Home(more);
  const path = home.file("tell me");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  more["PARALLEL_CLAUDE_NOTIFY_COMMAND"] = `'${path}' "two words" $HOME`;
  return home;
}

const writeFacts =
  'env | grep ^BATCH_ > "$0.facts.part"; printf "%s\\n" "$#" "$1" "$2" >> "$0.facts.part"; mv "$0.facts.part" "$0.facts"';

test("the user's command is told of the end of a detached batch, by its environment and without a shell", async () => {
  await using home = homeWithCommand(writeFacts);
  const { out } = await run(home, [
    "run",
    "--detach",
    "--json",
    "--batch-name",
    "nightly",
    "one",
    "[[max-turns]]",
  ]);
  const { batchId }: { batchId: string } = JSON.parse(out);
  const facts = home.file("tell me.facts");
  await eventually(
    () => existsSync(facts),
    () => "the command runs",
  );
  const lines = readFileSync(facts, "utf8").split("\n");
  for (const line of [
    `BATCH_ID=${batchId}`,
    "BATCH_NAME=nightly",
    "BATCH_STATE=finished",
    "BATCH_TOTAL=2",
    "BATCH_SUCCEEDED=1",
    "BATCH_FAILED=1",
    `BATCH_REPORT=${home.output}/report-${batchId}.html`,
  ])
    expect(lines).toContain(line);
  expect(lines.slice(-4)).toEqual(["2", "two words", "$HOME", ""]);
  await home.empty();
});

test("a batch that somebody waits for is not told of", async () => {
  await using home = homeWithCommand(writeFacts);
  expect((await run(home, ["run", "one"])).code).toBe(0);
  await home.empty();
  expect(existsSync(home.file("tell me.facts"))).toBe(false);
});

test("a command that fails, or is not there, is noted in the batch's log, and the batch is none the worse", async () => {
  await using home = homeWithCommand("echo it broke >&2; exit 3");
  const { out } = await run(home, ["run", "--detach", "--json", "one"]);
  const { batchId }: { batchId: string } = JSON.parse(out);
  await home.empty();
  const log = () => readFileSync(join(home.state, `batches/${batchId}/runner.log`), "utf8");
  expect(log()).toContain("it broke");
  expect(log()).toContain("ended with 3");
  expect((await run(home, ["wait", batchId])).code).toBe(0);
  // Also where a process starts it that has an output of its own, such as a command in a terminal.
  using store = home.store();
  const ended = store.batch(batchIdSchema.parse(batchId));
  expect(ended && (await printedBy("announced-once-more.ts", home, ended))).toBe("started");
  await eventually(
    () => log().split("ended with 3").length === 3,
    () => log(),
  );
  await home.empty();
});

test("a retry is not held up by a command that takes its time", async () => {
  await using home = homeWithCommand('while [ ! -e "$0.gate" ]; do sleep 0.05; done');
  const { out } = await run(home, ["run", "--detach", "--json", "[[max-turns]]"]);
  const { batchId }: { batchId: string } = JSON.parse(out);
  expect((await run(home, ["wait", batchId])).code).toBe(1);
  expect((await run(home, ["retry", batchId])).code).toBe(0);
  expect((await run(home, ["wait", batchId])).code).toBe(1);
  await Bun.write(home.file("tell me.gate"), "");
  await home.empty();
});

describe("the desktop", () => {
  async function endedBatch(home: Home, minutes: number): Promise<BatchState> {
    await run(home, ["run", "one"]);
    using store = home.store();
    const row = store.list()[0];
    const state = row && store.batch(row.batchId)?.state;
    if (!state) throw new Error("no batch");
    delete state.leash;
    state.createdAt = (state.endedAt ?? 0) - minutes * 60_000;
    return state;
  }

  function desktopIn(home: Home): Record<string, string> {
    mkdirSync(home.file("bin"), { recursive: true });
    writeFileSync(home.file("bin/notify-send"), "#!/bin/sh\n");
    chmodSync(home.file("bin/notify-send"), 0o755);
    return { DISPLAY: ":0", PATH: home.file("bin") };
  }

  testNeeding("Linux")("tells of a long batch by notify-send, and of no short one", async () => {
    await using home = new Home();
    const desktop = desktopIn(home);
    const long = await endedBatch(home, 5);
    expect(noticesOf(long, desktop)).toEqual([
      {
        command: [
          home.file("bin/notify-send"),
          "--app-name=parallel-claude-code-mcp",
          "--",
          `Batch ${long.batch.batchId}: succeeded`,
          "The task succeeded.",
        ],
        variables: {},
      },
    ]);
    expect(noticesOf({ ...long, createdAt: (long.endedAt ?? 0) - 5_000 }, desktop)).toEqual([]);
    expect(noticesOf({ ...long, cancelledBy: "user" }, desktop)).toEqual([]);
    expect(noticesOf({ ...long, batch: { ...long.batch, notifications: false } }, desktop)).toEqual([]);
    expect(noticesOf(long, { PATH: desktop["PATH"] })).toEqual([]);
    expect(noticesOf(long, { DISPLAY: ":0", PATH: "/nowhere" })).toEqual([]);
    expect(factsOf(long)["BATCH_SECONDS"]).toBe("300");
  });
});

test("a command may be written as words with quotes, or as a list", () => {
  expect(commandWords(`sh -c 'say "hi there"' --x="a b" plain`)).toEqual([
    "sh",
    "-c",
    'say "hi there"',
    "--x=a b",
    "plain",
  ]);
  expect(commandWords(["a b", "'c'"])).toEqual(["a b", "'c'"]);
});
