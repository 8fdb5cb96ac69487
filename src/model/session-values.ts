// The values of the variables that tasks give their sessions (`env`). The log has only their names: the processes of a
// batch keep values in memory and pass them on through a pipe.
import { z } from "zod";

const variables = z.record(z.string(), z.string());

const sessionValues = z.object({
  /** Of all tasks of the batch. */
  shared: variables,
  /** Of single tasks, by number (1-based); these win. */
  tasks: z.record(z.string(), variables),
});
export type SessionValues = z.infer<typeof sessionValues>;

export const noValues: SessionValues = { shared: {}, tasks: {} };

/** Whether there are any values to pass on. */
export function hasValues({ shared, tasks }: SessionValues): boolean {
  return Object.keys(shared).length > 0 || Object.keys(tasks).length > 0;
}

/** The variables of a task, by the names in its options; or the names whose values are lost. */
export function variablesOf(
  { shared, tasks }: SessionValues,
  task: number,
  names: readonly string[],
): { kind: "known"; variables: Record<string, string> } | { kind: "lost"; names: string[] } {
  const known = { ...shared, ...tasks[String(task)] };
  const lost = names.filter((name) => known[name] === undefined);
  if (lost.length > 0) return { kind: "lost", names: lost };
  return { kind: "known", variables: Object.fromEntries(names.map((name) => [name, known[name] ?? ""])) };
}

/** The names in the option `env` as stored: an object with empty values. */
export function variableNames(env: unknown): string[] {
  return typeof env === "object" && env !== null ? Object.keys(env).sort() : [];
}

/** The names of a task's variables; `number` is 1-based. A task's own `env` includes its batch's. */
export function taskVariableNames({ tasks, sessionOptions }: NamedOptions, number: number): string[] {
  return variableNames(tasks[number - 1]?.options?.["env"] ?? sessionOptions["env"]);
}

/** The fields of a batch that determine the names. */
interface NamedOptions {
  tasks: readonly { options?: Record<string, unknown> | undefined }[];
  sessionOptions: Record<string, unknown>;
}

/** The text for the pipe. */
export function valuesText(values: SessionValues): string {
  return JSON.stringify(values);
}

/** Parses the text from the pipe. */
export function valuesFromText(text: string): SessionValues {
  return sessionValues.parse(JSON.parse(text));
}
