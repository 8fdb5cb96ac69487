// What failed in a run, read from the output of `bun test`, so that the end of a long output can say it once more.

/** A failed test: its title, its file where the output says it, and what was printed before it, at most `linesShown` lines. */
export interface Failure {
  title: string;
  file: string | undefined;
  lines: string[];
}

/** Enough for the lines of the test, what was expected and received, and where. */
export const linesShown = 40;

/** The failed tests of an output, in its order. Those of a run under Wine stand there behind a bar. */
export function failuresIn(output: string): Failure[] {
  const failures: Failure[] = [];
  let file: string | undefined;
  let before: string[] = [];
  // At its end, `bun test` lists the failed tests once more, without their files.
  let listed = false;
  for (const raw of output.split("\n")) {
    const line = raw.replace(/^\| /, "");
    const named = line.match(/^(\S+\.(?:test|real)\.ts):$/)?.[1];
    const [, ending, title = ""] = line.match(/^\((pass|skip|todo|fail)\) (.*?)(?: \[[\d.]+ms\])?$/) ?? [];
    if (named === undefined && ending === undefined) {
      before.push(line);
      listed ||= /^\d+ tests? failed:$/.test(line);
      continue;
    }
    if (named !== undefined) {
      file = named;
      listed = false;
    } else if (ending === "fail" && !listed) failures.push({ title, file, lines: trimmed(before) });
    before = [];
  }
  return failures;
}

/** What is said of each failure of a step at the end of all. */
export function failuresText(step: string, failures: Failure[]): string[] {
  return failures.map(({ title, file, lines }) =>
    [`-- ${step}${file === undefined ? "" : `, ${file}`}: ${title}`, ...lines].join("\n"),
  );
}

function trimmed(lines: string[]): string[] {
  const last = lines.slice(-linesShown);
  while (last[0]?.trim() === "") last.shift();
  while (last.at(-1)?.trim() === "") last.pop();
  return last;
}
