// One task by itself, as a file describes it for a job scheduler, and the file that gets its result.
import { z } from "zod";
import { prompt } from "../model/options.ts";
import { sessionAnswerSchema } from "../report/answer.ts";
import { asMeant } from "./as-meant.ts";
import { type Fault, faultsAt } from "./fault.ts";
import { type Checked, check } from "./faults.ts";
import { pick, type RawOptions, rawObject } from "./raw-options.ts";
import { parallelInput, taskInput, taskSpec } from "./spawn-input.ts";

/** A checked spec. */
export interface TaskSpec {
  /** The input of a batch of this one task. */
  input: RawOptions;
  /** Differs from that of every other spec: SHA-256 of its JSON with sorted keys, in hexadecimal digits. */
  digest: string;
}

/** What the file of a result holds: the answer to a call for one session, and of which spec it is. */
export const taskResultSchema = sessionAnswerSchema.extend({
  specDigest: z.string().meta({
    description: "Of the spec that the task was given as: SHA-256 of its JSON, with sorted keys.",
  }),
});
export type TaskResult = z.infer<typeof taskResultSchema>;

/** Reads a spec: an object, or only the prompt as a string. Its faults have places in `tasks[0]` of the batch's input. */
export function readTaskSpec(given: unknown): Checked<TaskSpec> {
  const written = typeof given === "string" ? { task: given } : given;
  const checked = check(taskSpec, written, { name: "`run`", schema: everything });
  if (!checked.ok) return { ok: false, faults: faultsAt(["tasks", 0], checked.faults) };
  const meant = rawObject(asMeant(taskSpec, written));
  const ofTask = Object.keys(meant).filter((name) => !ofBatch.includes(name));
  return {
    ok: true,
    value: { input: { ...pick(meant, ofBatch), tasks: [pick(meant, ofTask)] }, digest: digestOf(meant) },
  };
}

/** After this number of kinds of specs, what is known of them is forgotten. */
const mostKinds = 100;

/** Reads one spec after another. Those that differ in their prompts alone, such as the tasks of a batch, are checked once. */
export function taskSpecReader(): (given: RawOptions) => Checked<Pick<TaskSpec, "input">> {
  const known = new Map<string, RawOptions>();
  return (given) => {
    const { task, ...others } = given;
    if (!prompt.safeParse(task).success) return readTaskSpec(given);
    const kind = JSON.stringify(others);
    const before = known.get(kind);
    if (before) return { ok: true, value: { input: withPrompt(before, task) } };
    const read = readTaskSpec(given);
    if (known.size >= mostKinds) known.clear();
    if (read.ok) known.set(kind, read.value.input);
    return read;
  };
}

function withPrompt({ tasks, ...others }: RawOptions, prompt: unknown): RawOptions {
  const [task] = Array.isArray(tasks) ? tasks : [];
  return { ...others, tasks: [{ ...rawObject(task), task: prompt }] };
}

/** What a batch takes, in which tasks may wait for each other. */
const everything = z.strictObject({ ...taskInput.shape, ...parallelInput.shape });

/** Options of a spec that a batch takes, and its tasks do not. */
const ofBatch: string[] = Object.keys(
  taskSpec.pick({ batchName: true, fresh: true, outputDirectory: true }).shape,
);

/** Faults of the batch, where a spec has its options: those of the batch stand in the spec too. */
export function inSpec(faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => {
    const isOfBatch = fault.kind !== "general" && ofBatch.includes(String(fault.place[0]));
    return isOfBatch ? { ...fault, place: ["tasks", 0, ...fault.place] } : fault;
  });
}

/** Keywords of JSON Schema. Our declarations have others beside them, which mean nothing to other programs. */
const keywords = [
  "$schema",
  "type",
  "properties",
  "required",
  "additionalProperties",
  "propertyNames",
  "items",
  "anyOf",
  "enum",
  "const",
  "default",
  "description",
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "pattern",
];

/** The JSON Schema of a spec. */
export function taskSpecJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(taskSpec, {
    io: "input",
    override: ({ jsonSchema }) => {
      for (const name of Object.keys(jsonSchema)) if (!keywords.includes(name)) delete jsonSchema[name];
    },
  });
}

function digestOf(spec: unknown): string {
  return new Bun.CryptoHasher("sha256").update(sortedJson(spec)).digest("hex");
}

// The order of keys means nothing.
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
