// Writes one setting into `config.json`, or removes it, and leaves every other character of the file as it is.
import {
  configurationSchema,
  isGiven,
  type SettingName,
  settingNames,
  variableOf,
} from "../model/configuration.ts";
import { kebabCase } from "../model/kebab-case.ts";
import type { Environment } from "../platform/environment.ts";
import { exists, makeDirectory, permissionsOf, readText, realPath } from "../platform/files.ts";
import { absolutePath, dirname } from "../platform/paths.ts";
import { messageOf } from "../platform/system-error.ts";
import { replaceFile } from "../platform/whole-files.ts";
import { readJsonc, removeFromJsonc, setInJsonc } from "./clients/edit-jsonc.ts";
import { pathSettings, readSetting, settingFrom } from "./configuration.ts";
import { faultText, toolWording } from "./fault-text.ts";
import { excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { UserError } from "./user-error.ts";

/** What to write: with a value, in the form that its variable has, or without one to take it out. */
export interface SettingChange {
  name: string;
  value?: string | undefined;
}

/**
 * Changes the file, whose folder is made if it is missing, and says what is in force now. Throws `UserError`, with nothing
 * changed, for an unknown name, a value that does not fit, and a file that cannot be read, understood or written.
 */
export async function changeSetting(
  file: string,
  { name: given, value: text }: SettingChange,
  environment: Environment = process.env,
): Promise<{ name: SettingName; message: string }> {
  const name = settingNamed(given);
  const value = text === undefined ? undefined : fitting(name, text);
  // A link stays a link: its target is replaced.
  const real = realPath(file);
  const before = exists(real) ? understood(real) : "";
  const after = value === undefined ? removeFromJsonc(before, [name]) : setInJsonc(before, [name], value);
  // With the name twice, the first would be edited, and the last one be in force.
  const meant = JSON.stringify(settingIn(after, name));
  if (meant !== JSON.stringify(value))
    throw new UserError(
      `\`${name}\` is in ${file} more than once, and nothing was changed. Remove the others first.`,
    );
  if (after !== before) await write(real, { before, after });
  return { name, message: messageFor(name, { value, file, changed: after !== before, environment }) };
}

/** As in the file, as a flag would be written, or as its variable. Throws `UserError`. */
function settingNamed(given: string): SettingName {
  const meant = given.toLowerCase();
  const found = settingNames.find((name) =>
    [name, kebabCase(name), variableOf(name)].some((one) => one.toLowerCase() === meant),
  );
  if (found !== undefined) return found;
  const near = nearest(given, settingNames);
  const hint = near === undefined ? "`config` lists all of them." : `Did you mean \`${near}\`?`;
  throw new UserError(`${excerpt(given)} is no setting, and nothing was changed. ${hint}`);
}

function fitting(name: SettingName, text: string): unknown {
  if (!isGiven(text))
    throw new UserError(
      `\`${name}\` was given as ${excerpt(text)}, which is no value, and nothing was changed. \`config unset ${name}\` removes it.`,
    );
  const value = pathSettings.includes(name) ? fromHere(settingFrom(name, text)) : settingFrom(name, text);
  const read = readSetting(name, value);
  if (!("faults" in read)) return value;
  const faults = read.faults.map((fault) => faultText(fault, toolWording)).join("; ");
  throw new UserError(`${faults}. Nothing was changed.`);
}

// In the file, a path is one from the home directory; in a terminal, everybody means the current one. `~` stays.
function fromHere(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromHere);
  return typeof value === "string" && !value.startsWith("~") ? absolutePath(value, process.cwd()) : value;
}

function settingIn(text: string, name: SettingName): unknown {
  if (text === "") return undefined;
  return Object.entries(Object(JSON.parse(text.replace(/^\uFEFF/, "")))).find(([key]) => key === name)?.[1];
}

function understood(file: string): string {
  try {
    const text = readText(file);
    // Without remarks, which the file is not read with.
    JSON.parse(text.replace(/^\uFEFF/, ""));
    readJsonc(text);
    return text;
  } catch (error) {
    throw new UserError(
      `${file} cannot be read (${messageOf(error)}), and nothing was changed. Fix it first.`,
    );
  }
}

async function write(file: string, { before, after }: { before: string; after: string }): Promise<void> {
  try {
    makeDirectory(dirname(file));
    const mode = exists(file) ? permissionsOf(file) : 0o600;
    if ((exists(file) ? readText(file) : "") === before) return await replaceFile(file, after, { mode });
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${messageOf(error)}`);
  }
  throw new UserError(`${file} was changed by somebody else in the meantime. Nothing was done. Try again.`);
}

function messageFor(
  name: SettingName,
  {
    value,
    file,
    changed,
    environment,
  }: { value: unknown; file: string; changed: boolean; environment: Environment },
): string {
  const done = doneText(name, { value, file, changed });
  const variable = variableOf(name);
  if (isGiven(environment[variable])) return `${done} But ${variable} is set, and takes precedence.`;
  return changed ? `${done} A server that runs reads it when its client starts it again.` : done;
}

function doneText(
  name: SettingName,
  { value, file, changed }: { value: unknown; file: string; changed: boolean },
): string {
  if (value !== undefined) return `\`${name}\` is ${changed ? "now " : ""}${excerpt(value)} in ${file}.`;
  const fallback = configurationSchema.shape[name].safeParse(undefined).data;
  const now = fallback === undefined ? "its default" : excerpt(fallback);
  return changed ? `\`${name}\` is out of ${file}, so ${now} applies.` : `\`${name}\` is not in ${file}.`;
}
