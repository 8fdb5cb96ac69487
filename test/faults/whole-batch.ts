// A batch with all parts, drawn for a round: a template over files, some of which ask the same, with a schema, a pattern and a
// question as checks, a sample, remembered answers, and a summary in groups.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../harness.ts";
import type { Random } from "./random.ts";

/** What each prompt of a kind costs, in US dollars; of a continued conversation, the fake decides. */
export const costs = { task: 0.5, question: 0.25, summary: 0.125 };
/** What a continued conversation answers. */
export const secondAnswer = 1;

/** One file, after whose name its session does everything. */
export interface File {
  key: string;
  /** What its answer says, and how long its session takes, in milliseconds. Files with the same one ask the same. */
  n: number;
}

/** The kind of a prompt, by its text; undefined for one that continues a conversation, whose task may be in it. */
export function kindOf(prompt: string): keyof typeof costs | undefined {
  // The same goes for a question, and for the answer that it is about.
  if (prompt.includes("[[only]]")) return "question";
  return kinds.find((kind) => prompt.startsWith(`[[cost usd=${costs[kind]}]]`));
}
const kinds = ["task", "summary"] as const;

/** How a conversation hears that its answer did not pass. */
export const correction = "Your answer did not pass a check";

/** Whether the first answer about this number does not pass, and its conversation continues. */
export function failsFirst(n: number): boolean {
  return n % 10 === 9;
}

/** Writes the files of a round. */
export function filesFor(home: Home, random: Random): File[] {
  const drawn = Array.from({ length: random.between(8, 14) }, () => random.between(10, 600));
  const all = [...new Set(drawn)].map((n) => ({ key: `src/a/${n}.ts`, n }));
  const doubles = all.filter(() => random.chance(0.25)).map(({ n }) => ({ key: `src/b/${n}.ts`, n }));
  for (const folder of ["src/a", "src/b", "notes"]) mkdirSync(join(home.work, folder), { recursive: true });
  for (const { key, n } of [...all, ...doubles]) {
    writeFileSync(join(home.work, key), String(n));
    writeFileSync(join(home.work, `notes/${n}.txt`), String(n));
  }
  return [...all, ...doubles];
}

/** The input of the call for the files below a folder. */
export function wholeInput(random: Random) {
  const verdict = `[[structured value='{"verdict":"yes","reason":"Fine."}']]`;
  const work = [
    `[[cost usd=${costs.task}]][[sleep ms={{stem}}]][[read path=notes/{{stem}}.txt]]`,
    `[[structured value='{"n": {{stem}} }']][[again value='{"n": ${secondAnswer} }']]`,
  ];
  return {
    template: work.join(""),
    outputSchema: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    expect: {
      pattern: String.raw`[0-8]\s*\}`,
      question: `[[only]][[cost usd=${costs.question}]][[sleep ms=${random.between(0, 200)}]]${verdict}`,
    },
    // More than a round has faults that end sessions.
    retries: 10,
    concurrency: random.between(1, 6),
  };
}

/** What is asked besides where the batch is about all files. */
export function wholeExtras(random: Random) {
  return {
    sample: random.between(1, 4),
    summarize: `[[cost usd=${costs.summary}]][[sleep ms=${random.between(0, 300)}]][[recite]]`,
    summarizeGroups: random.between(2, 6),
    asyncMode: random.chance(0.75),
  };
}
