// What a command is: the face of an operation on the command line.
import { z } from "zod";
import { batchIdInput } from "../../../operations/batch-input.ts";
import { type Context, UserError } from "../../../operations/context.ts";
import type { Fault } from "../../../operations/fault.ts";
import { check } from "../../../operations/faults.ts";
import type { Call, Operation } from "../../../operations/operation.ts";
import { perform } from "../../../operations/perform.ts";
import { harmlessJson, type Settled } from "../../../report/harmless.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { commandlessJson } from "../terminal/workflow-commands.ts";
import { wrapped } from "../terminal/wrapped.ts";
import type { ShownFlag } from "./flag.ts";
import type { Hints } from "./flags.ts";

/** Wrong usage: nothing was done. */
export class UsageError extends Error {
  /** Of the input, or sentences about the command line itself. */
  readonly faults: readonly (Fault | string)[];
  /** Where each task stands that is in a file, for people; nothing for the others. */
  readonly places: readonly (string | undefined)[];

  constructor(faults: readonly (Fault | string)[], places: readonly (string | undefined)[] = []) {
    super("The command line is wrong.");
    this.faults = faults;
    this.places = places;
  }
}

/** A word after a command without a flag. Only the last may have `many`. */
export interface Positional {
  property: string;
  placeholder: string;
  description: string;
  required: boolean;
  many: boolean;
  /** Whether each names a task: a number, a range of numbers, or a key. */
  isTask: boolean;
  /** The accepted words, if only some are. */
  choices?: readonly string[];
  /** What is meant where it is left out. */
  fallback?: string;
}

/** A parsed command line. */
export interface Invocation {
  /** The operation's raw input. */
  input: Record<string, unknown>;
  /** Flags that exist only on the command line. */
  own: Record<string, unknown>;
  /** How many of the last words without a flag came after `--`. */
  literal: number;
  context: Context;
  terminal: Terminal;
}

/** A command line without the program's name, and its purpose. */
export type Example = readonly [line: string, meaning: string];

export interface Command {
  name: string;
  /** Other words that people try, for suggestions. */
  otherNames?: readonly string[];
  /** For the list of commands. */
  summary: string;
  description: string;
  /** Command lines without the program's name, and their purposes. */
  examples: readonly Example[];
  /** The operation's input. */
  input: z.ZodType;
  /** Properties of the input that are not flags. */
  withoutFlags: readonly string[];
  /** Flags that exist only on the command line. */
  own: z.ZodType;
  /** What to say about options that people expect here. */
  hints?: Hints;
  positionals: readonly Positional[];
  /** Returns the exit status. Throws `UsageError` or `UserError` for what the user can fix. */
  run(asked: Invocation): Promise<number>;
}

/** What a command says of itself: plain data, which help and completion have without loading the command. */
export interface DescribedCommand
  extends Pick<Command, "name" | "summary" | "description" | "examples" | "positionals"> {
  otherNames: readonly string[];
  flags: readonly ShownFlag[];
}

/** Taken by every command. */
export const jsonFlag = z.object({
  json: z.boolean().meta({ description: "Print the result as JSON." }).optional(),
});

/** Taken by commands whose text may be longer than a screen. */
export const pagerFlag = z.object({
  pager: z
    .boolean()
    .meta({
      description: "In a terminal, show what is longer than the screen in a pager.",
      negated:
        "Do not show a text that is longer than the screen in a pager (`PAGER`, or else `less`), as a terminal does otherwise.",
    })
    .default(true),
});

/** The flags of a command whose text may be longer than a screen. */
export const pagedFlags = z.object({ ...jsonFlag.shape, ...pagerFlag.shape });

export const batchPositional: Positional = {
  property: "batchId",
  placeholder: "BATCH",
  description: batchIdInput.meta()?.description ?? "",
  required: true,
  many: false,
  isTask: false,
};

/** For commands that only show something: the newest batch if none is named. Those that stop or start something ask for it. */
export const batchOrLatest: Positional = {
  ...batchPositional,
  description: `${batchPositional.description} Without it, the newest batch.`,
  required: false,
  fallback: "latest",
};

/** `[N…]`: only these tasks, by number or key; all if there are none. */
export const taskNumbersPositional: Positional = {
  property: "tasks",
  placeholder: "N",
  description: "Only these tasks, by number or key, such as `3 5-8 src/a.ts`.",
  required: false,
  many: true,
  isTask: true,
};

interface CommandFace<Input, Output> {
  name: string;
  otherNames?: readonly string[];
  /** Set if the operation's own description mentions tools. */
  description?: string;
  examples: readonly Example[];
  positionals?: readonly Positional[];
  /**
   * Whether to skip resuming lost batches first: because it must work with a broken configuration or store, or its input
   * only requests a look.
   */
  alone?: boolean | ((input: Input) => boolean);
  /** Printed to standard error, whatever standard output gets. */
  beside?(output: Output): string | undefined;
  /** Whether its lines are wrapped already, or contain answers, which are not wrapped. */
  isWrapped?: boolean;
  /** Whether a text that is longer than the screen goes to a pager. */
  isPaged?: boolean;
  status?(output: Output): number;
}

type Words<Input, Output> =
  /** The output, for people. */
  | { present(output: Output, asked: Invocation): string }
  /** What people see instead of the output, which is not computed then. */
  | { overview(input: Input, asked: Invocation): Promise<string> };

/** The command of an operation. */
export function commandOf<Input extends z.ZodType, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
  face: CommandFace<z.output<Input>, z.output<Output>> & Words<z.output<Input>, z.output<Output>>,
): Command {
  const { name, otherNames = [], description = operation.description, examples, positionals = [] } = face;
  const { isPaged = false } = face;
  return {
    name,
    otherNames,
    summary: operation.title,
    description,
    examples,
    input: operation.input,
    withoutFlags: positionals.map(({ property }) => property),
    own: isPaged ? pagedFlags : jsonFlag,
    positionals,
    run: async (asked) => {
      const { input, own, context, terminal } = asked;
      const { alone = false, isWrapped = false, beside, status } = face;
      const { out, err } = terminal;
      const checked = checkUsage(operation.input, input);
      const isJson = own["json"] === true;
      const show = (text: string) => (isPaged ? printPaged(text, asked) : out.print(text));
      if (!isJson && "overview" in face) {
        await show(await face.overview(checked, asked));
        return 0;
      }
      const call = commandCall();
      const isAlone = typeof alone === "function" ? alone(checked) : alone;
      const output = isAlone
        ? await operation.run(context, input, call)
        : await perform(context, operation, input, call);
      if (isJson || !("present" in face)) await out.print(jsonText<unknown>(output));
      else if (isWrapped) await show(face.present(output, asked));
      else await show(wrapped(face.present(output, asked), out));
      const words = beside?.(output);
      if (words !== undefined) await err.tell(words);
      return status?.(output) ?? 0;
    },
  };
}

/** Prints a text; in a terminal, in pages if it is longer than the screen. Resolves when the reader has seen enough. */
async function printPaged(text: string, { own, terminal: { out } }: Invocation): Promise<void> {
  const { pagesOf } = await import("../terminal/pager.ts");
  const pages = pagesOf(out, own["pager"] !== false);
  await pages.print(text);
  await pages.end();
}

/** Throws `UsageError` for an input that does not fit. */
export function checkUsage<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const checked = check(schema, input);
  if (!checked.ok) throw new UsageError(checked.faults);
  return checked.value;
}

export function jsonText<Value>(value: Settled<Value>): string {
  return commandlessJson(harmlessJson(value, 2));
}

/** One line of JSON, for programs that read line by line. */
export function lineOfJson<Value>(value: Settled<Value>): string {
  return commandlessJson(harmlessJson(value));
}

/** Whether an error is one that the user can fix. */
export function isUserError(error: unknown): error is UsageError | UserError {
  return error instanceof UsageError || error instanceof UserError;
}

// On a command line, only ending the process stops the waiting.
/** A call of an operation, as a command makes it. */
export function commandCall(): Call {
  return {
    signal: new AbortController().signal,
    startedAt: performance.now(),
    progress: () => undefined,
  };
}
