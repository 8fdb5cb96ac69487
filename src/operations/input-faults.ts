// Faults of `inputs`, the files that a task depends on: a name that means nothing would never count as changed.
import { fixedPart } from "../model/glob-text.ts";
import { inputsOf, unknownPlaceholders } from "../model/inputs.ts";
import type { SessionOptionsInput } from "../model/options.ts";
import { isDirectory, isThere } from "../platform/files.ts";
import { globbedFiles } from "../platform/globbed-files.ts";
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

/** Every fault of a task's inputs. `values`: what its placeholders stand for. */
export function inputFaults(
  { inputs }: Pick<SessionOptionsInput, "inputs">,
  values: Readonly<Record<string, string>> | undefined,
  { context, workingDirectory, matches }: InputPlaces,
): Fault[] {
  if (inputs === undefined) return [];
  const filled = inputsOf({ inputs }, values) ?? [];
  return inputs.flatMap((input, index): Fault[] => {
    const place = ["inputs", index];
    const [unknown] = unknownPlaceholders({ inputs: [input] }, values);
    if (unknown !== undefined) {
      const known = Object.keys(values ?? {}).map((name) => `{{${name}}}`);
      const says =
        known.length === 0
          ? `has the placeholder {{${unknown}}}, but only tasks made from a template have placeholders`
          : `has the unknown placeholder {{${unknown}}}; this task has ${known.join(", ")}`;
      return [wrong(place, says)];
    }
    const { isGlob = false, text = input } = filled[index] ?? {};
    const pattern = isGlob ? fixedPart(text) : undefined;
    if (pattern?.rest.split("/").includes(".."))
      return [wrong(place, `has \`..\` behind a wildcard: ${text}`)];
    const path = absolutePath(pattern ? pattern.directory || "." : text, workingDirectory);
    const refused = whyNotRead(context, path);
    if (refused !== undefined) return [wrong(place, `names ${path}, which ${refused}`)];
    if (isGlob) {
      const key = JSON.stringify([workingDirectory, text]);
      const isMatched = matches.get(key) ?? matchesAnything(text, workingDirectory);
      matches.set(key, isMatched);
      return isMatched ? [] : [wrong(place, `matches no file in ${workingDirectory}: ${text}`)];
    }
    if (isThere(path)) return [];
    return [wrong(place, `names ${text}, and nothing of that name is in ${workingDirectory}`)];
  });
}

function matchesAnything(pattern: string, directory: string): boolean {
  const { directory: base, rest } = fixedPart(pattern);
  const path = absolutePath(base || ".", directory);
  if (!isDirectory(path)) return false;
  return !globbedFiles(path, rest).next().done;
}
