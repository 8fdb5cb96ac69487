// Reads the operator's settings: defaults, then `config.json`, then variables. Never from a working directory.
import { z } from "zod";
import {
  type Configuration,
  configurationSchema,
  isGiven,
  type SettingName,
  settingNames,
  variableOf,
  variablePrefix,
} from "../model/configuration.ts";
import { product } from "../model/product.ts";
import type { Environment } from "../platform/environment.ts";
import { exists, readText } from "../platform/files.ts";
import {
  absolutePath,
  configurationDirectory,
  defaultStateDirectory,
  homeDirectory,
  join,
  pathListSeparator,
  temporaryDirectory,
} from "../platform/paths.ts";
import { depthVariable, markerVariable, scheduleLogVariable } from "../platform/session-variables.ts";
import { messageOf } from "../platform/system-error.ts";
import { valueMeant } from "./as-meant.ts";
import { type Fault, wrong } from "./fault.ts";
import { faultText, toolWording, type Wording } from "./fault-text.ts";
import { check, excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { placeText } from "./place-text.ts";
import { shapeOf } from "./shape.ts";
import { ConfigurationError } from "./user-error.ts";
import { readPath } from "./written-path.ts";

/** A setting's source: `default`, the file's path, or the variable's name. */
export interface Setting {
  name: SettingName;
  value: unknown;
  source: string;
}

export interface InForce {
  /** Reading a broken setting throws `ConfigurationError`; code that does not need it continues. */
  configuration: Configuration;
  /** Every setting with its source, in the order of the declaration; a broken one has no value. */
  settings: Setting[];
  file: string;
  /** What is wrong, each with its source. */
  faults: string[];
  /** Unknown names without effect: misspelled, or from a newer version. */
  warnings: string[];
}

/** The settings in force. */
export function readConfiguration(environment: Environment = process.env): InForce {
  const file = join(configurationDirectory(product.name, environment), "config.json");
  const fromFile = readFileObject(file);
  const given = new Map<SettingName, { value: unknown; source: string }>();
  const faults = new Map<SettingName, string>();
  for (const name of settingNames) {
    const text = environment[variableOf(name)];
    if (isGiven(text)) given.set(name, { value: settingFrom(name, text), source: variableOf(name) });
    else if (!fromFile.ok) faults.set(name, fromFile.fault);
    else if (fromFile.value[name] !== undefined && fromFile.value[name] !== null)
      given.set(name, { value: fromFile.value[name], source: file });
  }
  const good: Record<string, unknown> = {};
  for (const [name, { value, source }] of given) {
    const read = readSetting(name, value);
    if ("faults" in read) {
      const wording = settingWording(name, source);
      faults.set(name, read.faults.map((fault) => faultText(fault, wording)).join("; "));
    } else good[name] = read.value;
  }
  const configuration = withDefaults(configurationSchema.parse(good), environment);
  return {
    configuration: throwing(configuration, faults),
    settings: settingNames.map((name) => ({
      name,
      value: faults.has(name) ? undefined : configuration[name],
      source: given.get(name)?.source ?? "default",
    })),
    file,
    faults: [...new Set(faults.values())],
    warnings: [
      ...unknownVariables(environment),
      ...(fromFile.ok ? unknownSettings(fromFile.value, file) : []),
    ],
  };
}

/** One setting by itself, so that a fault affects no other. Paths become absolute. */
export function readSetting(name: SettingName, value: unknown): { value: unknown } | { faults: Fault[] } {
  const checked = check(z.strictObject({ [name]: configurationSchema.shape[name] }), { [name]: value });
  if (!checked.ok) return { faults: checked.faults };
  const read = checked.value[name];
  if (!pathSettings.includes(name)) return { value: read };
  const paths = [read].flat().map((path) => readPath(String(path), homeDirectory()));
  const fault = paths.flatMap((path) => ("fault" in path ? path.fault : []))[0];
  if (fault !== undefined)
    return { faults: [wrong([name], `was given as ${excerpt(read)}, which ${fault}`)] };
  const absolute = paths.flatMap((path) => ("path" in path ? path.path : []));
  return { value: Array.isArray(read) ? absolute : absolute[0] };
}

// A variable is one setting; in a file, each has its name.
function settingWording(name: SettingName, source: string): Wording {
  const isVariable = source === variableOf(name);
  return {
    ...toolWording,
    place: (place) =>
      isVariable ? placeText([source, ...place.slice(1)]) : `${source}: ${placeText(place)}`,
  };
}

/** Settings that are paths or lists of paths. */
export const pathSettings: readonly SettingName[] = [
  "allowedRoots",
  "workingDirectory",
  "outputDirectory",
  "stateDirectory",
  "claudePath",
];

function throwing(configuration: Configuration, faults: ReadonlyMap<SettingName, string>): Configuration {
  const guarded = { ...configuration };
  for (const [name, fault] of faults) {
    const get = (): never => {
      throw new ConfigurationError([fault]);
    };
    Object.defineProperty(guarded, name, { get, enumerable: true });
  }
  return guarded;
}

/** The state directory of this configuration. Absolute. */
export function stateDirectoryOf({ stateDirectory }: Configuration): string {
  return stateDirectory ?? defaultStateDirectory(product.name);
}

// Fills in defaults that depend on the system.
function withDefaults(configuration: Configuration, environment: Environment): Configuration {
  const home = homeDirectory();
  const { stateDirectory, allowedRoots, outputDirectory } = configuration;
  return {
    ...configuration,
    allowedRoots: allowedRoots ?? [home, temporaryDirectory()],
    outputDirectory: absolutePath(outputDirectory, home),
    stateDirectory: stateDirectory ?? defaultStateDirectory(product.name, environment),
  };
}

/** The value that a text means, as a variable or on a command line. A list of directories may also be written as a PATH. */
export function settingFrom(name: SettingName, text: string): unknown {
  const isList = name === "allowedRoots" && !text.trimStart().startsWith("[");
  if (isList) return text.split(pathListSeparator).filter((path) => path.trim() !== "");
  const shape = shapeOf(configurationSchema).properties.get(name);
  return shape ? valueMeant(shape, text) : text;
}

function readFileObject(
  file: string,
): { ok: true; value: Record<string, unknown> } | { ok: false; fault: string } {
  if (!exists(file)) return { ok: true, value: {} };
  try {
    const value: unknown = JSON.parse(readText(file).replace(/^\uFEFF/, ""));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { ok: true, value: { ...value } };
    return { ok: false, fault: `${file} must contain a JSON object` };
  } catch (error) {
    const reason = messageOf(error);
    return { ok: false, fault: `${file} cannot be read: ${reason}` };
  }
}

// Our variables that are no settings. The last one is the installers', and may be exported in the shell that starts us.
const otherVariables: readonly string[] = [
  markerVariable,
  depthVariable,
  scheduleLogVariable,
  "PARALLEL_CLAUDE_DOWNLOADS",
];

function unknownVariables(environment: Environment): string[] {
  const known = settingNames.map(variableOf);
  // What all of them begin with makes none of them more alike.
  const ownPart = (name: string) => name.slice(variablePrefix.length);
  const ownParts = known.map(ownPart);
  return Object.keys(environment)
    .filter((name) => name.startsWith(variablePrefix))
    .filter((name) => !known.includes(name) && !otherVariables.includes(name))
    .map((name) => {
      const near = nearest(ownPart(name), ownParts);
      return unknownText(`the variable ${name}`, near && `${variablePrefix}${near}`);
    });
}

function unknownSettings(values: Record<string, unknown>, file: string): string[] {
  return Object.keys(values)
    .filter((name) => !settingNames.some((known) => known === name))
    .map((name) => unknownText(`the setting ${name} in ${file}`, nearest(name, settingNames)));
}

function unknownText(what: string, near: string | undefined): string {
  const hint =
    near === undefined ? "; a newer version of this program may know it" : `; did you mean \`${near}\`?`;
  return `${what} is not known and has no effect${hint}`;
}
