// Tasks as a YAML list.
import { FileFault } from "../../../operations/inputs/file-fault.ts";
import { messageOf } from "../../../platform/system-error.ts";
import { asItems, type FileTask } from "./file-task.ts";

/** A list of strings and objects with `task` and options. */
export function tasksFromYaml(text: string): FileTask[] {
  const found = parsed(text);
  if (!Array.isArray(found)) throw new FileFault("expected a list: strings, or objects with `task`");
  return asItems(found);
}

/** Whether a text is a list of objects with a key `task`: otherwise each key would become a task. */
export function looksLikeYaml(text: string): boolean {
  return /^\s*-\s+["']?task["']?\s*:\s/m.test(text);
}

function parsed(text: string): unknown {
  try {
    return Bun.YAML.parse(text);
  } catch (error) {
    throw new FileFault(`no YAML (${messageOf(error)})`);
  }
}
