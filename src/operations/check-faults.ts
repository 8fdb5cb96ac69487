// Faults of checks: in `expect` of a session, and in `stopWhen` of a batch.
import type { z } from "zod";
import { type AnswerFilter, type expectation, patternOf, type StopCondition } from "../model/checks.ts";
import { placeholdersIn, templateTrouble, valueTrouble } from "../model/command-template.ts";
import { schemaTrouble } from "../model/schema-errors.ts";
import type { Context } from "./context.ts";
import { type Fault, faultsAt, instead, wrong } from "./fault.ts";
import { excerpt } from "./faults.ts";
import { answerSchemaFaults } from "./schema-faults.ts";

/** Every fault of the checks in one set of options, with its place in there. Schemas have been read from their files. */
export function expectFaults(
  { pattern, schema, command }: z.input<typeof expectation>,
  { configuration, inForce }: Context,
): Fault[] {
  const trouble = command === undefined ? undefined : templateTrouble(command);
  return [
    ...filterFaults({ pattern, schema }),
    ...(command === undefined || configuration.allowCheckCommands
      ? []
      : [
          wrong(
            ["command"],
            `requires the operator's permission (\`allowCheckCommands\` in ${inForce.file})`,
          ),
        ]),
    ...(trouble === undefined ? [] : [wrong(["command"], trouble)]),
    ...(command?.includes("\0")
      ? [wrong(["command"], "contains a NUL character, which no command line can hold")]
      : []),
  ];
}

/** Faults of the values that a command gets from its task. */
export function commandFaults(command: string, values: Readonly<Record<string, string>> = {}): Fault[] {
  const place = ["expect", "command"];
  const unknown = placeholdersIn(command).filter((name) => values[name] === undefined);
  if (unknown.length > 0) {
    const names = unknown.map((name) => `{{${name}}}`).join(", ");
    const known = Object.keys(values)
      .map((name) => `{{${name}}}`)
      .join(", ");
    const has = known === "" ? "none, because it was not made from a template" : known;
    return [wrong(place, `names ${names}, for which the task has no value; it has ${has}`)];
  }
  const trouble = valueTrouble(command, values);
  return trouble === undefined ? [] : [wrong(place, trouble)];
}

/** Faults of a condition that ends a batch. */
export function stopFaults({ where }: StopCondition): Fault[] {
  return where ? faultsAt(["stopWhen", "where"], filterFaults(where)) : [];
}

function filterFaults({ pattern, schema }: AnswerFilter): Fault[] {
  const read = pattern === undefined ? undefined : patternOf(pattern);
  return [
    ...(read === undefined || read.ok || pattern === undefined
      ? []
      : [instead(["pattern"], excerpt(pattern), `expected a regular expression (${read.reason})`)]),
    ...(typeof schema === "object" ? faultsAt(["schema"], usableFaults(schema)) : []),
  ];
}

function usableFaults(schema: Record<string, unknown>): Fault[] {
  const faults = answerSchemaFaults(schema);
  const trouble = faults.length > 0 ? undefined : schemaTrouble(schema);
  return trouble === undefined ? faults : [wrong([], `cannot be used: ${trouble}`)];
}
