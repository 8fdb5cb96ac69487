// Answers that are remembered although one process has run several tasks: `reuseSessions` with a template.
import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { asked, processesOf, startsOf } from "./fake-notes.ts";
import { connectNew, eventually, Home, kill, run, type TestClient } from "./harness.ts";
import { startRunning } from "./running.ts";
import { settled } from "./settled.ts";

const names = Array.from({ length: 12 }, (_, index) => `${String.fromCharCode(97 + index)}.ts`);
const template = "[[read path={{file}}]] [[instructions]] [[digest]]";
const batch = { template, forEach: { glob: "src/*.ts" }, reuseSessions: "auto", concurrency: 1 };

const answer = z.object({
  batchId: z.string(),
  totalCostUsd: z.number(),
  results: z.array(z.object({ key: z.string().optional(), outcome: z.string(), result: z.string() })),
});

async function ask(home: Home, client: TestClient, more: object = {}) {
  await settled(home);
  const { data, text } = await client.call("spawn_parallel_claude_sessions", { ...batch, ...more });
  const { success, data: parsed } = answer.safeParse(data);
  if (!success) throw new Error(text);
  const { results } = parsed;
  return {
    ...parsed,
    outcomes: results.map(({ outcome }) => outcome),
    texts: results.map(({ result }) => result),
  };
}

/** A home with small files for a template. */
function homeWith(count = names.length): Home {
  const home = new Home();
  for (const name of names.slice(0, count)) write(home, `src/${name}`, `This is ${name}`);
  return home;
}

function write(home: Home, name: string, text: string): void {
  const path = join(home.work, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
}

/** Starts a batch whose first task waits until it is let go, and gives its answer then. */
async function held(home: Home, client: TestClient, meanwhile: () => Promise<void>) {
  await settled(home);
  const gate = home.file("gate");
  rmSync(gate, { force: true });
  const gated = { ...batch, template: `[[wait-for-file path=${gate}]] ${template}` };
  const batchId = await startRunning(home, client, gated);
  await eventually(
    () => asked(home).length === 1,
    () => "nobody is asked",
  );
  await meanwhile();
  writeFileSync(gate, "");
  await client.call("wait_for_batch", { batchId });
  return await ask(home, client, { template: gated.template });
}

const all = (outcome: string, count = names.length) => Array.from({ length: count }, () => outcome);

describe("answers of tasks in one process", () => {
  test("are taken over for nothing; after an edit, one session runs", async () => {
    await using home = homeWith();
    await using client = await connectNew(home);
    const first = await ask(home, client);
    expect([first.outcomes, startsOf(home)]).toEqual([all("succeeded"), 1]);
    const second = await ask(home, client);
    expect(second.outcomes).toEqual(all("reused"));
    expect([second.texts, second.totalCostUsd]).toEqual([first.texts, 0]);
    expect(asked(home)).toHaveLength(12);
    // Each is a copy of its own part, of which all doors show that and no more.
    const folder = join(home.state, "remembered");
    const copies = readdirSync(folder).filter((name) => name.endsWith(".ndjson"));
    expect(copies).toHaveLength(12);
    for (const copy of copies) {
      const text = readFileSync(join(folder, copy), "utf8");
      expect(text).not.toContain("conversation_reset");
      expect(first.texts.filter((one) => text.includes(one))).toHaveLength(1);
      if (process.platform !== "win32") expect(statSync(join(folder, copy)).mode & 0o077).toBe(0);
    }
    rmSync(join(home.state, "batches", first.batchId), { recursive: true });
    for (const task of [1, 5, 12]) {
      for (const flags of [[], ["--json"]]) {
        const { out } = await run(home, ["logs", second.batchId, String(task), ...flags]);
        expect(first.texts.map((text) => out.includes(text))).toEqual(
          names.map((_, index) => index === task - 1),
        );
        expect(out).not.toContain("conversation_reset");
      }
    }
    const again = await run(home, ["results", second.batchId, "--json", "--limit", "12"]);
    for (const text of first.texts) expect(again.out).toContain(text);

    write(home, "src/e.ts", "edited");
    const third = await ask(home, client);
    expect(third.outcomes).toEqual(names.map((name) => (name === "e.ts" ? "succeeded" : "reused")));
    expect(third.texts[4]).not.toBe(first.texts[4]);
    expect([asked(home).length, startsOf(home)]).toEqual([13, 2]);
    expect((await ask(home, client)).texts).toEqual(third.texts);
    expect(asked(home)).toHaveLength(13);
  }, 120_000);

  test("are right if CLAUDE.md is edited in the middle: nothing old is taken over", async () => {
    await using home = homeWith(6);
    await using client = await connectNew(home);
    write(home, "CLAUDE.md", "Rules one.");
    const second = await held(home, client, async () => {
      write(home, "CLAUDE.md", "Rules two.");
      await settled(home);
    });
    expect(second.outcomes).toEqual(["succeeded", ...all("reused", 5)]);
    const { texts } = await ask(home, client, { fresh: true });
    expect(texts).toEqual(second.texts);
  }, 120_000);

  test("are right if a file was edited before the task that reads it", async () => {
    await using home = homeWith(3);
    await using client = await connectNew(home);
    const second = await held(home, client, async () => {
      write(home, "src/c.ts", "edited");
      await settled(home);
    });
    expect([second.outcomes, startsOf(home)]).toEqual([all("reused", 3), 1]);
    expect((await ask(home, client, { fresh: true })).texts).toEqual(second.texts);
  }, 120_000);

  test("come from a new process once settings were written, even if they are the same again", async () => {
    await using home = homeWith(4);
    await using client = await connectNew(home);
    write(home, ".claude/rules/own.md", "Rule");
    await held(home, client, async () => {
      write(home, ".claude/rules/own.md", "Rule");
      await settled(home);
    });
    const processes = processesOf(home);
    expect(processes).toHaveLength(5);
    expect(processes[1]).not.toBe(processes[0]);
    expect(new Set(processes.slice(1, 4)).size).toBe(1);
  }, 120_000);

  test("serve those who want a process for each task only if `/clear` was not seen", async () => {
    await using home = homeWith(3);
    await using client = await connectNew(home);
    const first = await ask(home, client);
    const own = await ask(home, client, { reuseSessions: "never" });
    expect(own.outcomes).toEqual(["reused", "succeeded", "succeeded"]);
    // Theirs are good for all.
    const shared = await ask(home, client);
    expect(shared.outcomes).toEqual(all("reused", 3));
    expect(shared.texts).toEqual(first.texts);
    expect((await ask(home, client, { reuseSessions: "never" })).outcomes).toEqual(all("reused", 3));
    await ask(home, client, { fresh: true });
    // New answers for one kind of callers take none from the others.
    expect((await ask(home, client, { reuseSessions: "never" })).outcomes).toEqual(all("reused", 3));
  }, 120_000);

  test("are complete with a version that does not say where a conversation ends", async () => {
    await using home = homeWith(3);
    home.set({ FAKE_CLAUDE_VERSION: "2.1.310" });
    await using client = await connectNew(home);
    const first = await ask(home, client);
    const second = await ask(home, client);
    expect([second.outcomes, second.texts]).toEqual([all("reused", 3), first.texts]);
    expect([asked(home).length, startsOf(home)]).toEqual([3, 1]);
    for (const { batchId } of [first, second]) {
      const { out } = await run(home, ["logs", batchId, "1"]);
      expect(first.texts.map((text) => out.includes(text))).toEqual([true, false, false]);
    }
  }, 120_000);

  test("of a task whose runner was killed are not remembered, and the others are", async () => {
    await using home = homeWith(3);
    await using client = await connectNew(home);
    const second = await held(home, client, async () => {
      using store = home.store();
      const [row] = store.list({ limit: 1 });
      await kill(row && store.batch(row.batchId)?.state.runner);
    });
    expect(second.outcomes).toEqual(["succeeded", "reused", "reused"]);
    expect((await ask(home, client, { fresh: true })).texts).toEqual(second.texts);
  }, 120_000);
});
