// A template as it was asked for, and the tasks that it makes.
import type { SessionOptionsInput } from "../../model/options.ts";
import { option, prose } from "../../model/prose.ts";
import type { Context } from "../context.ts";
import { type Fault, wrong } from "../fault.ts";
import type { Checked } from "../faults.ts";
import { pick, type RawOptions } from "../raw-options.ts";
import { textFaults } from "../text-faults.ts";
import type { AnswerFile } from "./earlier-results.ts";
import type { ForEach, Matrix, Order } from "./for-each.ts";
import { itemsFrom } from "./sources.ts";
import { type TemplateTask, templateTasks } from "./template-tasks.ts";

/** A template, and everything that says which tasks it makes. */
export interface TemplateAsked {
  template: string;
  forEach: ForEach;
  matrix: Matrix | undefined;
  maxTasks: number;
  order: Order;
}

interface Given {
  tasks?: unknown;
  template?: string | undefined;
  forEach?: ForEach | undefined;
  matrix?: Matrix | undefined;
  maxTasks: number;
  order: Order;
}

/** The template in an input, or that its parts do not fit together. `undefined`: there are tasks instead. */
export function templateAsked(
  { tasks, template, forEach, matrix, maxTasks, order }: Given,
  written: RawOptions,
): Checked<TemplateAsked | undefined> {
  const refused = (...faults: Fault[]) => ({ ok: false as const, faults });
  if (template === undefined && forEach === undefined) {
    const misplaced = Object.keys(pick(written, ["matrix", "maxTasks", "order"]));
    if (misplaced.length > 0)
      return refused(
        ...misplaced.map((name) =>
          wrong([name], prose`requires ${option("template")} and ${option("forEach")}`),
        ),
      );
    if (tasks !== undefined) return { ok: true, value: undefined };
    return refused({
      kind: "missing",
      place: ["tasks"],
      expected: prose`expected a list, or ${option("template")} with ${option("forEach")}`,
    });
  }
  if (tasks !== undefined)
    return refused(
      wrong(
        ["template"],
        prose`cannot be given beside tasks; give ${option("tasks")}, or ${option("template")} with ${option("forEach")}`,
      ),
    );
  if (template === undefined)
    return refused(
      wrong(
        ["template"],
        prose`is missing: ${option("forEach")} needs the prompt of its tasks, such as \`Review {{file}}\``,
      ),
    );
  if (forEach === undefined)
    return refused(
      wrong(
        ["forEach"],
        prose`is missing: ${option("template")} needs what its tasks are about, such as \`{"glob": "src/**/*.ts"}\``,
      ),
    );
  const faults = Object.entries(matrix ?? {}).flatMap(([name, values = []]) =>
    values.flatMap((value, index) =>
      textFaults({ [name]: value }).map((fault) => at(fault, ["matrix", name, index])),
    ),
  );
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, value: { template, forEach, matrix, maxTasks, order } };
}

// The same fault, of one value in a matrix.
function at(fault: Fault, place: readonly PropertyKey[]): Fault {
  return fault.kind === "general" ? fault : { ...fault, place };
}

/** The options of which tasks of a template have some of their own. */
export function matrixOptions(matrix: Matrix | undefined): SessionOptionsInput[] {
  return Object.entries(matrix ?? {}).flatMap(([name, values = []]) =>
    values.map((value): SessionOptionsInput => ({ [name]: value })),
  );
}

interface MadeTasks {
  tasks: readonly TemplateTask[];
  faults: readonly Fault[];
  answers: readonly AnswerFile[];
  warnings: readonly string[];
  /** Whether each is about one file. */
  eachIsFile: boolean;
}

/** The tasks of a template, or everything that is wrong with it. */
export async function tasksOf(
  context: Context,
  asked: TemplateAsked,
  means: Omit<Parameters<typeof itemsFrom>[1], "context">,
): Promise<MadeTasks> {
  const none = { tasks: [], answers: [], warnings: [], eachIsFile: false };
  const found = await itemsFrom(asked.forEach, { context, ...means });
  if (!("items" in found)) return { ...none, faults: found };
  const made = templateTasks(context, asked, found);
  if (!made.ok) return { ...none, faults: made.faults };
  const { answers, warnings, source } = found;
  return {
    tasks: made.value,
    faults: [],
    answers,
    warnings,
    eachIsFile: source === "glob" || source === "gitDiff",
  };
}
