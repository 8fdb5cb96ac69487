// Faults of `inputs`, the files that a task depends on: a name that means nothing would never count as changed.
import { fixedPart } from "../model/glob-text.ts";
import { inputsOf, unknownPlaceholders } from "../model/inputs.ts";
import type { SessionOptionsInput } from "../model/options.ts";
import { isDirectory, isThere } from "../platform/files.ts";
import { isAnyGlobbed } from "../platform/globbed-files.ts";
import { absolutePath } from "../platform/paths.ts";
import { whyNotRead } from "./allowed-roots.ts";
import type { Context } from "./context.ts";
import { type Fault, wrong } from "./fault.ts";

interface InputPlaces {
  context: Context;
  workingDirectory: string;
  /** Whether a pattern matches anything, by directory and pattern: what tasks share is searched once. */
  matches: Map<string, boolean>;
}

/** Every fault of a task's inputs. `values`: what its placeholders stand for. Does not block while it searches. */
export async function inputFaults(
  { inputs }: Pick<SessionOptionsInput, "inputs">,
  values: Readonly<Record<string, string>> | undefined,
  places: InputPlaces,
): Promise<Fault[]> {
  if (inputs === undefined) return [];
  const filled = inputsOf({ inputs }, values) ?? [];
  const faults: Fault[] = [];
  for (const [index, input] of inputs.entries()) {
    const says = await faultOf(input, values, { ...places, ...filled[index] });
    if (says !== undefined) faults.push(wrong(["inputs", index], says));
  }
  return faults;
}

// What is wrong with one of them. `text`: with its placeholders filled in.
async function faultOf(
  input: string,
  values: Readonly<Record<string, string>> | undefined,
  {
    context,
    workingDirectory,
    matches,
    isGlob = false,
    text = input,
  }: InputPlaces & { isGlob?: boolean; text?: string },
): Promise<string | undefined> {
  const [unknown] = unknownPlaceholders({ inputs: [input] }, values);
  if (unknown !== undefined) {
    const known = Object.keys(values ?? {}).map((name) => `{{${name}}}`);
    return known.length === 0
      ? `has the placeholder {{${unknown}}}, but only tasks made from a template have placeholders`
      : `has the unknown placeholder {{${unknown}}}; this task has ${known.join(", ")}`;
  }
  const pattern = isGlob ? fixedPart(text) : undefined;
  if (pattern?.rest.split("/").includes("..")) return `has \`..\` behind a wildcard: ${text}`;
  const path = absolutePath(pattern ? pattern.directory || "." : text, workingDirectory);
  const refused = whyNotRead(context, path);
  if (refused !== undefined) return `names ${path}, which ${refused}`;
  if (isGlob) {
    const key = JSON.stringify([workingDirectory, text]);
    const isMatched = matches.get(key) ?? (await matchesAnything(text, workingDirectory));
    matches.set(key, isMatched);
    return isMatched ? undefined : `matches no file in ${workingDirectory}: ${text}`;
  }
  if (isThere(path)) return undefined;
  return `names ${text}, and nothing of that name is in ${workingDirectory}`;
}

async function matchesAnything(pattern: string, directory: string): Promise<boolean> {
  const { directory: base, rest } = fixedPart(pattern);
  const path = absolutePath(base || ".", directory);
  if (!isDirectory(path)) return false;
  return await isAnyGlobbed(path, rest);
}
