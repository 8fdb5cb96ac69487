// Remembered answers: which are kept, and which are given.
import { expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fingerprints } from "../../src/platform/fingerprints.ts";
import { layoutOf } from "../../src/store/layout.ts";
import { type AnswerToKeep, hasRemembered, RememberedAnswers } from "../../src/store/remembered.ts";

const dayMs = 24 * 60 * 60_000;
const now = 1_800_000_000_000;

function place() {
  const path = mkdtempSync(join(tmpdir(), "remembered-"));
  const layout = layoutOf(path);
  const transcript = join(path, "transcript");
  writeFileSync(transcript, "x".repeat(1_000));
  const transcripts = () => readdirSync(layout.rememberedFolder).filter((name) => name.endsWith(".ndjson"));
  return { layout, transcript, transcripts, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

function answer(hash: string, more: Partial<AnswerToKeep> = {}): AnswerToKeep {
  return {
    batchId: "k2m4x7p9",
    task: 1,
    at: now,
    model: "m",
    sessionId: "s",
    outcome: { kind: "succeeded", length: 1, offset: 0 },
    looks: [{ look: { kind: "file", path: "/a" }, hash }],
    ...more,
  };
}

test("the newest answer comes first, one for each contents, and at most four", () => {
  using at = place();
  expect(hasRemembered(at.layout)).toBe(false);
  using answers = new RememberedAnswers(at.layout);
  for (const hash of ["1", "2", "3", "2", "4", "5"])
    answers.add("key", answer(hash), { path: at.transcript }, now);
  const hashes = answers.answersTo("key", 0).map(({ looks }) => looks[0]?.hash);
  expect(hashes).toEqual(["5", "4", "2", "3"]);
  expect(at.transcripts()).toHaveLength(4);
  expect(answers.answersTo("other", 0)).toEqual([]);
  expect(hasRemembered(at.layout)).toBe(true);
});

test("an answer in a part of a transcript has a copy of that part, and its lines are found there", async () => {
  using at = place();
  using answers = new RememberedAnswers(at.layout);
  writeFileSync(at.transcript, "before\nearlier\nanswer\nlater\nbehind\n");
  const outcome = {
    kind: "succeeded" as const,
    length: 1,
    offset: 15,
    earlierOffsets: [7],
    laterOffsets: [22],
  };
  const part = { path: at.transcript, from: 7, to: 28 };
  expect(answers.add("key", answer("1", { outcome }), part, now)).toBe(true);
  const [kept] = answers.answersTo("key", 0);
  expect(kept?.outcome).toEqual({ ...outcome, offset: 8, earlierOffsets: [0], laterOffsets: [15] });
  expect(await Bun.file(kept?.path ?? "").text()).toBe("earlier\nanswer\nlater\n");
  // What its process writes afterwards changes nothing.
  appendFileSync(at.transcript, "more\n");
  expect(new Fingerprints().file(kept?.path ?? "")).toMatchObject({ hash: kept?.transcriptHash });
  // The last one of a process has all the rest.
  const last = answer("1", { outcome: { kind: "succeeded", length: 1, offset: 22 } });
  answers.add("last", last, { path: at.transcript, from: 22 }, now);
  expect(await Bun.file(answers.answersTo("last", 0)[0]?.path ?? "").text()).toBe("later\nbehind\nmore\n");
});

test("a part that is not all there is not remembered, and leaves no file", () => {
  using at = place();
  using answers = new RememberedAnswers(at.layout);
  const part = { path: at.transcript, from: 10, to: 2_000 };
  expect(() => answers.add("key", answer("1"), part, now)).toThrow("ends at 1000");
  expect(answers.answersTo("key", 0)).toEqual([]);
  expect(readdirSync(at.layout.rememberedFolder).filter((name) => !name.startsWith("answers."))).toEqual([]);
});

test("several processes add and read at the same time", () => {
  using at = place();
  using one = new RememberedAnswers(at.layout);
  using other = new RememberedAnswers(at.layout);
  one.add("key", answer("1"), { path: at.transcript }, now);
  other.add("key", answer("2"), { path: at.transcript }, now);
  expect(one.answersTo("key", 0)).toEqual(other.answersTo("key", 0));
  expect(one.answersTo("key", 0)).toHaveLength(2);
});

test("an answer that was not used for long is not given, and goes; using it keeps it", () => {
  using at = place();
  using answers = new RememberedAnswers(at.layout);
  answers.add("used", answer("1"), { path: at.transcript }, now - 40 * dayMs);
  answers.add("unused", answer("1"), { path: at.transcript }, now - 40 * dayMs);
  answers.used(
    answers.answersTo("used", 0).map(({ id }) => id),
    now,
  );
  expect(answers.answersTo("unused", now - 30 * dayMs)).toEqual([]);
  expect(answers.tidy({ days: 30, megabytes: 1 }, now, { dryRun: true })).toEqual({
    answers: 1,
    bytes: 1_000,
  });
  expect(at.transcripts()).toHaveLength(2);
  expect(answers.tidy({ days: 30, megabytes: 1 }, now)).toEqual({ answers: 1, bytes: 1_000 });
  expect(at.transcripts()).toHaveLength(1);
  expect(answers.answersTo("used", 0)).toHaveLength(1);
});

test("over the limit of size, those that were not used for the longest time go", () => {
  using at = place();
  using answers = new RememberedAnswers(at.layout);
  for (const [index, key] of ["oldest", "middle", "newest"].entries())
    answers.add(key, answer("1"), { path: at.transcript }, now + index);
  expect(answers.tidy({ days: 30, megabytes: 0.002 }, now + 3)).toEqual({ answers: 1, bytes: 1_000 });
  expect(answers.answersTo("oldest", 0)).toEqual([]);
  expect(answers.answersTo("middle", 0)).toHaveLength(1);
});

test("a transcript without a row, as a killed process leaves it, goes after a day", () => {
  using at = place();
  using answers = new RememberedAnswers(at.layout);
  const [fresh, old] = ["fresh.ndjson", "old.ndjson"].map((name) => join(at.layout.rememberedFolder, name));
  for (const path of [fresh, old]) writeFileSync(path ?? "", "half");
  const yesterday = (Date.now() - 2 * dayMs) / 1_000;
  utimesSync(old ?? "", yesterday, yesterday);
  answers.tidy({ days: 30, megabytes: 1 }, Date.now());
  expect(at.transcripts()).toEqual(["fresh.ndjson"]);
});

test("why an answer was not remembered is known until one is", () => {
  using at = place();
  using answers = new RememberedAnswers(at.layout);
  answers.refuse("key", "used Bash", now);
  expect(answers.refusalOf("key")).toBe("used Bash");
  answers.add("key", answer("1"), { path: at.transcript }, now);
  expect(answers.refusalOf("key")).toBeUndefined();
  answers.setModel("account opus", "claude-opus-5-5");
  expect(answers.modelOf("account opus")).toBe("claude-opus-5-5");
});
