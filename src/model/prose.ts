// Text that both doors show, with the names of options and the next steps in it as values: each door words them for its
// reader.
import { z } from "zod";

/** A text, or the pieces of one. */
export type Prose = string | readonly Piece[];

type Piece = string | Mention | NextStep;

/** An option by its name, with the value that it is to have where the text gives one. */
interface Mention {
  option: string;
  value?: unknown;
}

/** What somebody does next: a tool to call, or a command to run. */
export type NextStep =
  | { do: "list" }
  /** See how a batch is doing. */
  | { do: "look"; batchId: string }
  | { do: "retry"; batchId: string }
  /** Run what waits after the sample. */
  | { do: "continue"; batchId: string }
  | { do: "cancel"; batchId: string }
  /** See what happened to the tasks that did not succeed; `whole` with everything that is known of them. */
  | { do: "read-errors"; batchId: string; whole?: boolean }
  /** Read the text of a task on, from a character; the whole of it without one. */
  | { do: "read-on"; batchId: string; task: number; from?: number };

/** How a reader calls what prose mentions. */
export interface Speech {
  option(name: string, value?: unknown): string;
  step(step: NextStep): string;
}

/** A template tag: prose`give ${option("env")} again`. */
export function prose(
  texts: TemplateStringsArray,
  ...values: readonly (Prose | number | Mention | NextStep)[]
): readonly Piece[] {
  return texts.flatMap((text, index): readonly Piece[] => {
    const value = values[index];
    if (value === undefined) return [text];
    if (typeof value === "number") return [text, String(value)];
    return isPieces(value) ? [text, ...value] : [text, value];
  });
}

// `Array.isArray` does not know lists that are read alone.
function isPieces(value: Prose | Mention | NextStep): value is readonly Piece[] {
  return Array.isArray(value);
}

export function option(name: string, value?: unknown): Mention {
  return { option: name, ...(value === undefined ? {} : { value }) };
}

/** The text for one reader. */
export function proseText(given: Prose, speech: Speech): string {
  if (typeof given === "string") return given;
  return given
    .map((piece) => {
      if (typeof piece === "string") return piece;
      return "option" in piece ? speech.option(piece.option, piece.value) : speech.step(piece);
    })
    .join("");
}

/** Prose in what a schema declares of an option, which mentions options alone. */
export const declaredProse = z.union([
  z.string(),
  z.array(z.union([z.string(), z.object({ option: z.string() })])),
]);
type Declared = z.infer<typeof declaredProse>;

/** Options by their names, as in the input of a tool and in tables of options. */
export function namesText(given: Declared): string {
  if (typeof given === "string") return given;
  return given.map((piece) => (typeof piece === "string" ? piece : `\`${piece.option}\``)).join("");
}

/** A template tag for `meta`: the description of an option, which mentions others. */
export function described(texts: TemplateStringsArray, ...mentions: readonly Mention[]) {
  const pieces = texts.flatMap((text, index) => {
    const mention = mentions[index];
    return mention === undefined ? [text] : [text, { option: mention.option }];
  });
  return { description: namesText(pieces), prose: pieces };
}
