// One batch with all parts, from its call to its export, and what must be true of it whoever was killed meanwhile: a
// template with equal tasks, a remembered answer, a sample, a schema, a command and a question as checks, a summary in groups.
import { expect } from "bun:test";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { mostSpares } from "../../src/engine/attempt/warm-spares.ts";
import { type BatchId, batchIdSchema } from "../../src/model/batch-id.ts";
import { Door } from "../faults/door.ts";
import { type Answer, eventually, filesIn, Home, kill, useProgram } from "../harness.ts";
import { newestRow, untilKept } from "../running.ts";
import { killedProgram } from "./compile.ts";
import { Gate } from "./gate.ts";
import { type Kill, killsText } from "./kill.ts";

/** Who is killed while a session runs. The session is not. */
export type Victim = "door" | "runner" | "runner and keeper";

/** What kills may cost, although nothing is paid twice. */
export interface Losses {
  /** How many sessions may have had no prompt yet, and ended without one. */
  unprompted?: readonly number[];
  /** How many answers the next batch may have to pay for, because the runner that started their sessions could not remember them. */
  forgotten?: readonly number[];
}

const data = (n: number) => `[[structured value='{"n":${n}}']]`;
const numbers = [0, 1, 2, 1, 3, 4];
/** Two prompts of `fixed`, and one of each other task that runs; a question about each answer; two groups and the whole. */
const paid = { tasks: 5, questions: 4, summaries: 3 };
const again = `[[again value='{"n":2}']]`;
const items = [
  { id: "old", file: "old.txt", does: data(0) },
  { id: "one", file: "one.txt", does: data(1) },
  { id: "fixed", file: "fixed.txt", does: `[[structured-never text='{"n":"x"}']]${again}` },
  // The same question as the second one.
  { id: "again", file: "one.txt", does: data(1) },
  { id: "last", file: "last.txt", does: data(3) },
  { id: "late", file: "late.txt", does: data(4) },
];

/** What is asked. With a gate, each session waits at it. */
function reviewWith(gate: string | undefined) {
  const waits = gate === undefined ? "" : `[[socket path=${gate}]]`;
  const waitsAgain = gate === undefined ? again : again.replace("again ", `again socket=${gate} `);
  const verdict = `[[structured value='{"verdict":"yes","reason":"Fine."}']]`;
  const review = {
    template: `[[cost usd=0.5]]${waits}[[read path={{file}}]]{{does}}`,
    outputSchema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    expect: { pattern: "n", question: `[[only]][[cost usd=0.25]]${waits}${verdict}` },
    concurrency: 1,
  };
  return {
    review,
    summary: { summarize: `[[cost usd=0.125]]${waits}[[recite]]`, summarizeGroups: 3 },
    items: items.map((item) => ({ ...item, does: item.does.replace(again, waitsAgain) })),
  };
}

const note = z.object({ kind: z.string(), prompt: z.string().catch("") });

/** Kills a process, if it is there. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

/** A batch of this kind in a home of its own. */
export class Scenario implements AsyncDisposable {
  readonly home = new Home();
  readonly #program = useProgram(killedProgram());
  #door: Door | undefined;
  #asked = reviewWith(undefined);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door?.[Symbol.asyncDispose]();
    this.#program[Symbol.dispose]();
    await this.home[Symbol.asyncDispose]();
  }

  /** Runs the batch to its end, with kills on its way, and looks at everything. */
  async survives(kills: readonly Kill[], losses: Losses = {}): Promise<void> {
    const marks = this.home.file("marks");
    mkdirSync(marks);
    await this.#remembersOne();
    this.home.set({ KILLS: killsText(kills), KILL_MARKS: marks });
    await this.#runs(losses, () => kills.length);
    expect(filesIn(marks)).toEqual(kills.map(({ at }) => at).toSorted());
  }

  /** The same, and each session waits at a gate until those of this list who have their turn were killed, and replaced. */
  async adopts(victims: readonly Victim[], losses: Losses = {}): Promise<void> {
    using gate = new Gate(this.home.file("gate"));
    this.#asked = reviewWith(gate.path);
    await this.#remembersOne();
    let met = 0;
    gate.met = async () => this.#kill(victims[met++ % victims.length]);
    await this.#runs(losses, () => {
      gate.met = async () => undefined;
      return met;
    });
    await gate.passed();
    expect(met).toBe(paid.tasks + paid.questions + paid.summaries);
  }

  // `ended`: called then; gives how many processes were killed.
  async #runs({ unprompted = [0], forgotten = [0] }: Losses, ended: () => number): Promise<void> {
    const before = this.#notes();
    const batchId = await this.#begin();
    await this.#untilFinished(batchId);
    const exported = await this.#exported(batchId);
    const killed = ended();
    await this.home.empty({ but: (await this.#open()).pid });
    this.#lookAtSessions(before, unprompted, killed);
    await this.#lookAtAnswers(batchId);
    this.#lookAtFiles(batchId, exported);
    await this.#lookAtNextBatch(forgotten);
  }

  // Whoever waits for the batch resumes it where its keeper is killed, too.
  async #kill(victim: Victim | undefined): Promise<void> {
    if (victim === "door") {
      const door = await this.#open();
      // The one that was killed before may still be named, until a call has found it dead and started another one.
      await eventually(
        () => isKilled(door.pid),
        () => "there is no door",
      );
      return;
    }
    const [keeper, runner] = await untilKept(this.home);
    const epoch = newestRow(this.home)?.epoch ?? 0;
    await kill(runner, ...(victim === "runner and keeper" ? [keeper] : []));
    await eventually(
      () => (newestRow(this.home)?.epoch ?? 0) > epoch,
      () => "nobody takes the batch over",
    );
  }

  // An earlier batch, whose answer is used again.
  async #remembersOne(): Promise<void> {
    for (const { file } of items) await Bun.write(join(this.home.work, file), file);
    await this.#settled();
    const { data: done } = await this.#call("spawn_parallel_claude_sessions", {
      ...this.#asked.review,
      forEach: { items: this.#asked.items.slice(0, 1), idColumn: "id" },
    });
    expect(done).toMatchObject({ end: "succeeded" });
    await this.#close();
    await this.home.empty();
  }

  // As a user does who does not know what has become of the call.
  async #begin(): Promise<BatchId> {
    const earlier = newestRow(this.home)?.batchId;
    for (;;) {
      await this.#call("spawn_parallel_claude_sessions", {
        ...this.#asked.review,
        ...this.#asked.summary,
        forEach: { items: this.#asked.items, idColumn: "id" },
        sample: 2,
        asyncMode: true,
      });
      const batchId = newestRow(this.home)?.batchId;
      if (batchId !== undefined && batchId !== earlier) return batchIdSchema.parse(batchId);
    }
  }

  async #untilFinished(batchId: BatchId): Promise<void> {
    for (;;) {
      this.#letTimePass();
      const { data: now } = await this.#call("wait_for_batch", { batchId, waitSeconds: 5 });
      if (now?.["state"] === "finished") return;
      if (now?.["state"] === "paused") {
        expect(now["counts"]).toMatchObject({ succeeded: 3, queued: 3 });
        await this.#call("continue_batch", { batchId });
      }
    }
  }

  // What was being started by a process that was killed then counts as lost after some seconds.
  #letTimePass(): void {
    const row = newestRow(this.home);
    if (!row || row.endedAt !== undefined || row.runner || row.keeper) return;
    using store = this.home.store();
    store.database.run(
      "UPDATE batches SET alive_at = alive_at - 20000 WHERE batch_id = ? AND runner IS NULL AND keeper IS NULL",
      [row.batchId],
    );
  }

  async #exported(batchId: BatchId): Promise<string> {
    for (;;) {
      const { data: done } = await this.#call("export_batch", { batchId, format: "csv" });
      if (done) return z.string().parse(done["file"]);
    }
  }

  #notes(): z.infer<typeof note>[] {
    const lines = readFileSync(this.home.startsLog, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => note.parse(JSON.parse(line)));
  }

  #lookAtSessions(before: readonly unknown[], unprompted: readonly number[], killed: number): void {
    const notes = this.#notes().slice(before.length);
    const prompts = notes.filter(({ kind }) => kind === "prompt");
    const kinds = Object.groupBy(prompts, ({ prompt }) =>
      prompt.includes("[[only]]") ? "questions" : prompt.includes("[[recite]]") ? "summaries" : "tasks",
    );
    expect(Object.fromEntries(Object.entries(kinds).map(([kind, all]) => [kind, all.length]))).toEqual(paid);
    // Whoever tells it, the conversation hears once what was wrong with its answer.
    const corrections = prompts.filter(({ prompt }) => prompt.startsWith("Your answer does not fit"));
    expect(corrections).toHaveLength(1);
    // Each runner that was killed may have had spares.
    const inVain = notes.filter(({ kind }) => kind === "start").length - prompts.length;
    expect(inVain).toBeGreaterThanOrEqual(Math.min(...unprompted));
    expect(inVain).toBeLessThanOrEqual(Math.max(...unprompted) + killed * mostSpares);
  }

  async #lookAtAnswers(batchId: BatchId): Promise<void> {
    const { data: read } = await this.#call("read_batch_results", { batchId });
    const results = z.array(z.record(z.string(), z.unknown())).parse(read?.["results"]);
    expect(results.map(({ key, structuredResult }) => [key, structuredResult])).toEqual(
      items.map(({ id }, index) => [id, { n: numbers[index] }]),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual([
      "reused",
      "succeeded",
      "succeeded",
      "reused",
      "succeeded",
      "succeeded",
    ]);
    expect(read?.["summary"]).toBe(numbers.map((n) => `{\n  "n": ${n}\n}\n`).join("\n"));
    expect(newestRow(this.home)).toMatchObject({
      counts: { queued: 0, running: 0, succeeded: 9, failed: 0, cancelled: 0 },
    });
    expect(newestRow(this.home)?.costUsd).toBeCloseTo(4 * 0.5 + 0.0141354 + 4 * 0.25 + 3 * 0.125, 6);
  }

  // Each whole, with each task once, and nothing beside them.
  #lookAtFiles(batchId: BatchId, exported: string): void {
    const { output } = this.home;
    const textOf = (name: string) => readFileSync(join(output, name), "utf8");
    const given = items.map(({ id }) => id);
    const keys = [...given, "summary-1", "summary-2", "summary"];
    const table = textOf(`results-${batchId}.csv`);
    expect(readFileSync(exported, "utf8")).toBe(table);
    const rows = [...table.matchAll(/^([\w-]+),(\d+),success,(?:reused|succeeded),(\d?),/gm)];
    expect(rows.map(([, key = "", , n = ""]) => [key, n])).toEqual(
      given.map((key, index) => [key, String(numbers[index])]),
    );
    const lines = textOf(`results-${batchId}.jsonl`).trimEnd().split("\n");
    const entry = z.object({ key: z.string() });
    expect(lines.map((line) => entry.parse(JSON.parse(line)).key).toSorted()).toEqual(keys.toSorted());
    const whole = z.object({ results: z.array(entry) }).parse(JSON.parse(textOf(`summary-${batchId}.json`)));
    // Its sessions are not listed beside what they wrote.
    expect(whole.results.map(({ key }) => key)).toEqual(given);
    const names = filesIn(output);
    expect(names.flatMap((name) => /^(?:result|error)-(\d+)-/.exec(name)?.[1] ?? [])).toEqual(
      keys.map((_, index) => `00${index + 1}`),
    );
    expect(textOf(`report-${batchId}.html`)).toContain("</html>");
    expect(names.filter((name) => name.endsWith(".part"))).toEqual([]);
  }

  // The same again, in which everything is remembered but what nobody can be certain of.
  async #lookAtNextBatch(forgotten: readonly number[]): Promise<void> {
    const before = this.#notes().length;
    await this.#settled();
    const { data: next } = await this.#call("spawn_parallel_claude_sessions", {
      ...this.#asked.review,
      forEach: { items: this.#asked.items, idColumn: "id" },
    });
    expect(next).toMatchObject({ end: "succeeded" });
    const prompts = this.#notes()
      .slice(before)
      .filter(({ kind }) => kind === "prompt");
    using store = this.home.store();
    const missed = store.batch(batchIdSchema.parse(next?.["batchId"]))?.state.missed;
    const paidAgain = prompts.filter(({ prompt }) => prompt.includes("[[only]]")).length;
    if (!forgotten.includes(paidAgain))
      throw new Error(`${paidAgain} answers are not remembered: ${JSON.stringify(missed)}`);
  }

  // An answer that may depend on a change in the moment of a start is not remembered.
  async #settled(): Promise<void> {
    const { path, work } = this.home;
    const paths = [path, work, ...items.map(({ file }) => resolve(work, file))];
    const changedAt = Math.max(...paths.map((one) => statSync(one).ctimeMs));
    await eventually(
      () => Date.now() - changedAt > 400,
      () => "the files grow old",
    );
  }

  async #open(): Promise<Door> {
    this.#door ??= await Door.open(this.home);
    return this.#door;
  }

  async #close(): Promise<void> {
    await this.#door?.[Symbol.asyncDispose]();
    this.#door = undefined;
  }

  async #call(name: string, input: Record<string, unknown>): Promise<Answer> {
    return (await this.#open()).call(name, input);
  }
}
