// Checks of answers: what a caller may expect of one, how that reads, and what a check found.
import { z } from "zod";
import { cut } from "./cut.ts";

/** Most characters that are kept of what a check says. */
export const longestOutput = 4_000;

const pattern = z
  .string()
  .min(1)
  .meta({
    description: "Regular expression that must match the answer.",
    more: "As in JavaScript: `^` and `$` stand for the beginning and the end of the whole answer.",
    placeholder: "REGEX",
    hints: ["regex", "regexp", "match", "matches", "contains"],
  });

const schema = z.union([z.string().min(1), z.record(z.string(), z.unknown())]).meta({
  description: "JSON Schema that the answer must fit: a file or an object.",
  placeholder: "FILE|JSON",
  hints: ["jsonSchema", "outputSchema"],
});

/** The kinds of checks, in the order in which an answer is checked: the cheapest first. */
export const checkKinds = ["pattern", "schema", "command", "question"] as const;
export type CheckKind = (typeof checkKinds)[number];

// What is misspelled is not missing, too.
function hasNoIssues({ issues }: { issues: readonly unknown[] }): boolean {
  return issues.length === 0;
}

/** What an answer must pass, in each of these ways that is given. */
export const expectation = z
  .strictObject({
    pattern: pattern.optional(),
    schema: schema.optional(),
    command: z
      .string()
      .min(1)
      .meta({
        description:
          "Command that must end with exit code 0, in the task's directory and without a shell. `{{file}}` and the like stand for the task's values. Requires the operator's permission.",
        placeholder: "COMMAND",
        hints: ["cmd", "run", "shell", "script", "exec"],
      })
      .optional(),
    question: z
      .string()
      .min(1)
      .meta({
        description:
          "Question about the answer that a second session must answer with yes. What that session costs is part of the task's cost.",
        placeholder: "TEXT",
        hints: ["ask", "judge", "prompt", "grader", "rubric"],
      })
      .optional(),
    model: z
      .string()
      .min(1)
      .meta({ description: "Model of that second session.", placeholder: "MODEL" })
      .default("haiku"),
    timeoutSeconds: z
      .number()
      .positive()
      .max(86_400)
      .meta({
        description: "How long the command, or the second session, may take.",
        hints: ["timeout", "timeoutMs", "timeLimit"],
      })
      .default(300),
  })
  .refine((given) => checkKinds.some((kind) => given[kind] !== undefined), {
    message: `expected at least one of ${checkKinds.join(", ")}`,
    when: hasNoIssues,
  });
export type Expectation = z.output<typeof expectation>;

/** Which answers count for `stopWhen`. */
export const answerFilter = z
  .strictObject({ pattern: pattern.optional(), schema: schema.optional() })
  .refine((given) => given.pattern !== undefined || given.schema !== undefined, {
    message: "expected at least one of pattern, schema",
    when: hasNoIssues,
  });
export type AnswerFilter = z.output<typeof answerFilter>;

/** When enough is found: the batch then ends, and has succeeded. */
export const stopCondition = z.strictObject({
  found: z
    .int()
    .min(1)
    .meta({
      description: "How many tasks must succeed.",
      hints: ["count", "successes", "succeeded", "number"],
    }),
  where: answerFilter
    .meta({
      description: "Counts only tasks whose answer matches this.",
      listed: [],
    })
    .optional(),
});
export type StopCondition = z.output<typeof stopCondition>;

/** A check as it is made. */
export type Check =
  | { kind: "pattern"; pattern: string }
  | { kind: "schema"; schema: Record<string, unknown> }
  | { kind: "command"; command: string; timeoutSeconds: number }
  | { kind: "question"; question: string; model: string; timeoutSeconds: number };

/** The checks of an answer, in their order. By then, schemas have been read from their files. */
export function checksOf(expected: Expectation | undefined): Check[] {
  if (!expected) return [];
  const { pattern, schema, command, question, model, timeoutSeconds } = expected;
  return [
    ...(pattern === undefined ? [] : [{ kind: "pattern" as const, pattern }]),
    ...(typeof schema === "object" ? [{ kind: "schema" as const, schema }] : []),
    ...(command === undefined ? [] : [{ kind: "command" as const, command, timeoutSeconds }]),
    ...(question === undefined ? [] : [{ kind: "question" as const, question, model, timeoutSeconds }]),
  ];
}

/** What a check found. */
export const checkResult = z.object({
  kind: z.enum(checkKinds),
  /** The pattern, command or question; empty for a schema. */
  asked: z.string(),
  passed: z.boolean(),
  /** What it said, at most `longestOutput` characters. */
  output: z.string(),
  /** Whether it could not be made, so that it says nothing about the answer. */
  broken: z.boolean().optional(),
});
export type CheckResult = z.infer<typeof checkResult>;

/** What a check asks for, as its result keeps it. */
export function askedBy(check: Check): string {
  switch (check.kind) {
    case "pattern":
      return check.pattern;
    case "schema":
      return "";
    case "command":
      return check.command;
    case "question":
      return check.question;
  }
}

/** A pattern as a regular expression, or why it is none. */
export function patternOf(text: string): { ok: true; pattern: RegExp } | { ok: false; reason: string } {
  try {
    return { ok: true, pattern: new RegExp(text, "u") };
  } catch (strict) {
    try {
      // With `u`, a needless backslash is an error.
      return { ok: true, pattern: new RegExp(text) };
    } catch {
      const said = strict instanceof Error ? strict.message : String(strict);
      return { ok: false, reason: said.replace(/^Invalid regular expression: /, "") };
    }
  }
}

const shares = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/;

/** How many tasks of `total` must fail for `failWhen`; undefined if the text says neither a number nor a percentage. */
export function failureLimit(failWhen: string, total: number): number | undefined {
  const [, digits, percent] = shares.exec(failWhen) ?? [];
  const number = Number(digits ?? 0);
  if (number <= 0) return undefined;
  if (percent === "%") return number > 100 ? undefined : atLeast((total * number) / 100);
  return Number.isInteger(number) ? number : undefined;
}

// As a binary fraction, 1.1 % of 3,000 is slightly more than 33, and must not become 34.
function atLeast(share: number): number {
  return Math.max(1, Math.ceil(share - 1e-9));
}

/** "the pattern `^OK`", "the schema", "the command `npx tsc`", "the question “Is it short?”". */
export function checkName({ kind, asked }: Pick<CheckResult, "kind" | "asked">, longest = 200): string {
  const text = cut(asked.replaceAll(/\s+/g, " ").trim(), longest);
  if (kind === "schema") return "the schema";
  return kind === "question" ? `the question “${text}”` : `the ${kind} \`${text}\``;
}
