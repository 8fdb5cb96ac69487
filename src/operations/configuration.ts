// Reads what the operator decided: defaults, then `config.json`, then variables. Never a working directory.
import {
  type Configuration,
  configurationSchema,
  isGiven,
  type SettingName,
  settingNames,
  variableOf,
} from "../model/configuration.ts";
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
import { depthVariable, markerVariable } from "../platform/process-table.ts";
import { valueMeant } from "./as-meant.ts";
import { type Checked, check, nearest } from "./faults.ts";
import { shapeOf } from "./shape.ts";

type Environment = Record<string, string | undefined>;

/** Where a value comes from: `default`, the file's path, or the variable's name. */
export interface Setting {
  name: SettingName;
  value: unknown;
  source: string;
}

export interface InForce {
  configuration: Configuration;
  /** Every setting with its source, in the order of the declaration. */
  settings: Setting[];
  file: string;
}

/** What is in force, or what is wrong with it. */
export function readConfiguration(environment: Environment = process.env): Checked<InForce> {
  const file = join(configurationDirectory(environment), "config.json");
  const fromFile = readFileObject(file);
  if (!fromFile.ok) return fromFile;
  const variables = settingNames.flatMap((name) => {
    const text = environment[variableOf(name)];
    return isGiven(text) ? [[name, settingFrom(name, text)] as const] : [];
  });
  const unknown = unknownVariables(environment);
  if (unknown.length > 0) return { ok: false, faults: unknown };
  const byVariable: Record<string, unknown> = Object.fromEntries(variables);
  const checked = check(configurationSchema, { ...fromFile.value, ...byVariable });
  if (!checked.ok) {
    const faults = checked.faults.map(
      (fault) => `${sourceOf(fault.split(/[ .[]/, 1)[0] ?? "", byVariable, file)}: ${fault}`,
    );
    return { ok: false, faults };
  }
  const configuration = withPlaces(checked.value, environment);
  const settings = settingNames.map((name): Setting => {
    const source = name in byVariable ? variableOf(name) : name in fromFile.value ? file : "default";
    return { name, value: configuration[name], source };
  });
  return { ok: true, value: { configuration, settings, file } };
}

/** The state directory of this configuration. Absolute. */
export function stateDirectoryOf({ stateDirectory }: Configuration): string {
  return stateDirectory ?? defaultStateDirectory();
}

// `~` and what is left to the system, filled in.
function withPlaces(configuration: Configuration, environment: Environment): Configuration {
  const home = homeDirectory();
  const place = (path: string) => absolutePath(path, home);
  const { workingDirectory, claudePath, stateDirectory, allowedRoots, outputDirectory } = configuration;
  return {
    ...configuration,
    allowedRoots: (allowedRoots ?? [home, temporaryDirectory()]).map(place),
    outputDirectory: place(outputDirectory),
    stateDirectory: stateDirectory === undefined ? defaultStateDirectory(environment) : place(stateDirectory),
    ...(workingDirectory === undefined ? {} : { workingDirectory: place(workingDirectory) }),
    ...(claudePath === undefined ? {} : { claudePath: place(claudePath) }),
  };
}

// A list of directories may also be written as systems write them.
function settingFrom(name: SettingName, text: string): unknown {
  const isList = name === "allowedRoots" && !text.trimStart().startsWith("[");
  if (isList) return text.split(pathListSeparator).filter((path) => path.trim() !== "");
  const shape = shapeOf(configurationSchema).properties.get(name);
  return shape ? valueMeant(shape, text) : text;
}

function readFileObject(file: string): Checked<Record<string, unknown>> {
  if (!exists(file)) return { ok: true, value: {} };
  try {
    const value: unknown = JSON.parse(readText(file));
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { ok: true, value: { ...value } };
    return { ok: false, faults: [`${file} must contain a JSON object`] };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, faults: [`${file} cannot be read: ${reason}`] };
  }
}

// Variables of ours that are no settings. The last one is the installers', and may be exported in a shell that then starts us.
const otherVariables: readonly string[] = [markerVariable, depthVariable, "PARALLEL_CLAUDE_DOWNLOADS"];

// A mistyped variable would silently leave the default in force.
function unknownVariables(environment: Environment): string[] {
  const known = settingNames.map(variableOf);
  return Object.keys(environment)
    .filter((name) => name.startsWith("PARALLEL_CLAUDE_"))
    .filter((name) => !known.includes(name) && !otherVariables.includes(name))
    .map((name) => {
      const near = nearest(name, known);
      return `the variable ${name} is not known${near === undefined ? "" : `; did you mean \`${near}\`?`}`;
    });
}

function sourceOf(name: string, byVariable: Record<string, unknown>, file: string): string {
  return name in byVariable ? variableOf(name) : file;
}
