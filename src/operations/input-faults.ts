// Faults of `inputs`, the files that a task depends on: a name that means nothing would never count as changed.
import { inputsOf, unknownPlaceholders } from "../model/inputs.ts";
import type { SessionOptionsInput } from "../model/options.ts";
import { isThere } from "../platform/files.ts";
import { absolutePath } from "../platform/paths.ts";
import { type Fault, wrong } from "./fault.ts";

/** Every fault of a task's inputs. `values`: what its placeholders stand for. */
export function inputFaults(
  { inputs }: Pick<SessionOptionsInput, "inputs">,
  values: Readonly<Record<string, string>> | undefined,
  workingDirectory: string,
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
    if (isGlob || isThere(absolutePath(text, workingDirectory))) return [];
    return [wrong(place, `names ${text}, and nothing of that name is in ${workingDirectory}`)];
  });
}
