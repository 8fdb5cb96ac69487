// Checks everything that names a place on disk: where the sessions of a batch work, and which files they get.
import { isJsonText, readSettingsFile, settingsInText } from "../claude/settings-file.ts";
import { variableOf } from "../model/configuration.ts";
import type { Batch } from "../model/event.ts";
import { type SessionOptionsInput, sessionOptions } from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { isWritable, kindAt, realPath } from "../platform/files.ts";
import { dirname, isWithin } from "../platform/paths.ts";
import { layoutOf } from "../store/layout.ts";
import { stateDirectoryOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type Fault, general, type Place, wrong } from "./fault.ts";
import { excerpt, jsonFault } from "./faults.ts";
import { pick, type RawOptions } from "./raw-options.ts";
import { mostArgumentBytes } from "./text-faults.ts";
import { readVariables } from "./variables.ts";
import { readPath } from "./written-path.ts";

const sessionNames = Object.keys(sessionOptions.shape);

/** Checks everything that names a place on disk, and what requires the operator's permission. */
export class Places {
  readonly #context: Context;
  readonly #faults: Fault[];
  readonly #roots: string[];
  readonly #settingsFiles = new WeakSet<object>();

  constructor(context: Context, faults: Fault[]) {
    this.#context = context;
    this.#faults = faults;
    this.#roots = (context.configuration.allowedRoots ?? []).map(realPath);
  }

  /** What directories must be inside, with links resolved. */
  get roots(): readonly string[] {
    return this.#roots;
  }

  /**
   * The options as written, with absolute paths. A task's start at its batch's directory, a batch's at ours. Keeps only
   * what was written, because defaults come last.
   */
  absolute(
    options: SessionOptionsInput,
    written: RawOptions,
    { place, base }: { place: Place; base?: string | undefined },
  ): RawOptions {
    const { workingDirectory, addDirectories, mcpConfig, env, outputSchema, settings, expect } = options;
    const start = base ?? this.#start();
    const named = (...inner: Place): Place => [...place, ...inner];
    const own =
      workingDirectory === undefined
        ? undefined
        : this.#directory(workingDirectory, start, named("workingDirectory"));
    const from = own ?? start;
    const kept = pick(written, sessionNames);
    return {
      ...kept,
      ...(own === undefined ? {} : { workingDirectory: own }),
      ...(addDirectories
        ? {
            addDirectories: addDirectories.map((path, index) =>
              this.#directory(path, from, named("addDirectories", index)),
            ),
          }
        : {}),
      ...(typeof mcpConfig === "string"
        ? { mcpConfig: this.#servers(mcpConfig, from, named("mcpConfig")) }
        : {}),
      ...(typeof env === "string" ? { env: this.#variables(env, from, named("env")) } : {}),
      ...(typeof outputSchema === "string"
        ? { outputSchema: this.#schema(outputSchema, from, named("outputSchema")) }
        : {}),
      ...(typeof expect?.schema === "string"
        ? { expect: { ...expect, schema: this.schemaIn(expect.schema, from, named("expect", "schema")) } }
        : {}),
      ...(typeof settings === "string"
        ? { settings: this.#settings(settings, from, named("settings")) }
        : {}),
    };
  }

  /** Whether settings came from a file. They are then passed on as one, because their values may be secrets. */
  isFromFile(settings: object): boolean {
    return this.#settingsFiles.has(settings);
  }

  /** Option, then configuration, then our directory, unless that is `/` or outside the allowed roots. */
  defaultWorkingDirectory(needs: readonly SessionOptionsInput[]): string {
    const [common, ...tasks] = needs;
    const start = this.#start();
    if (common?.workingDirectory !== undefined) return common.workingDirectory;
    if (tasks.every(({ workingDirectory }) => workingDirectory !== undefined)) return start;
    if (start === dirname(start) || !this.#allowed(start)) {
      this.#faults.push({
        kind: "missing",
        place: ["workingDirectory"],
        expected: prose`this program was started in ${start}, which is not a place to work in. Give ${option("workingDirectory")}, or set ${variableOf("workingDirectory")}`,
      });
    } else if (kindAt(start) !== "directory") {
      this.#faults.push(general(`the configured workingDirectory ${start} is not a directory`));
    }
    return start;
  }

  /**
   * Where files go: a relative path starts at the batch's working directory; a sync batch without a directory of its own
   * writes to the state directory.
   */
  outputDirectory(
    given: string | undefined,
    { asyncMode, batchId, from }: { asyncMode: boolean; batchId: Batch["batchId"]; from: string },
  ): string {
    const { configuration } = this.#context;
    if (given === undefined && !asyncMode) return layoutOf(stateDirectoryOf(configuration)).pages(batchId);
    if (given === undefined) {
      const { outputDirectory } = configuration;
      this.#checkWritable(outputDirectory, (says) => general(`the configured outputDirectory ${says}`));
      return outputDirectory;
    }
    const faultsBefore = this.#faults.length;
    const place = ["outputDirectory"];
    const directory = this.#path(given, from, place);
    if (this.#faults.length > faultsBefore) return directory;
    if (!this.#allowed(directory)) this.#faults.push(this.#outside(place, directory));
    else this.#checkWritable(directory, (says) => wrong(place, says));
    // By the time that files are written, a link may lead elsewhere.
    return realPath(directory);
  }

  /**
   * The absolute path of a file to read, which exists; or what is wrong. A client's model may only read within the allowed
   * roots, and a person whatever they can.
   */
  inputFile(given: string, from: string, place: Place): { path: string } | { faults: Fault[] } {
    const read = readPath(given, from);
    if ("fault" in read) return { faults: [wrong(place, `${excerpt(given)} ${read.fault}`)] };
    const { path } = read;
    if (this.#context.door === "tools" && !this.#allowed(path))
      return { faults: [this.#outside(place, path)] };
    const kind = kindAt(path);
    if (kind === "nothing") return { faults: [wrong(place, `${path} does not exist`)] };
    return kind === "file" ? { path: realPath(path) } : { faults: [wrong(place, `${path} is not a file`)] };
  }

  #start(): string {
    return this.#context.configuration.workingDirectory ?? this.#context.workingDirectory;
  }

  // What cannot be read as a path is a fault, and stays as given, because nothing will use it.
  #path(given: string, from: string, place: Place): string {
    const read = readPath(given, from);
    if ("path" in read) return read.path;
    this.#faults.push(wrong(place, `${excerpt(given)} ${read.fault}`));
    return given;
  }

  // With links resolved, so that sessions get what was checked, even if a link changes.
  #directory(given: string, from: string, place: Place): string {
    const faultsBefore = this.#faults.length;
    const path = this.#path(given, from, place);
    if (this.#faults.length > faultsBefore) return from;
    const kind = kindAt(path);
    if (kind === "nothing") this.#faults.push(wrong(place, `${path} does not exist`));
    else if (kind !== "directory") this.#faults.push(wrong(place, `${path} is not a directory`));
    else if (!this.#allowed(path)) this.#faults.push(this.#outside(place, path));
    return realPath(path);
  }

  #servers(given: string, from: string, place: Place): string | Record<string, unknown> {
    if (isJsonText(given)) return given;
    const faultsBefore = this.#faults.length;
    const path = this.#path(given, from, place);
    return this.#faults.length > faultsBefore ? { mcpServers: {} } : path;
  }

  // Settings from a file are kept apart, because their values may be secrets.
  #settings(given: string, from: string, place: Place): Record<string, unknown> {
    const settings = this.#jsonObject(given, from, place);
    if (!isJsonText(given)) this.#settingsFiles.add(settings);
    return settings;
  }

  /** The JSON Schema in a file, or in a JSON text. */
  schemaIn(given: string, from: string, place: Place): Record<string, unknown> {
    return this.#jsonObject(given, from, place);
  }

  #schema(given: string, from: string, place: Place): Record<string, unknown> {
    const schema = this.#jsonObject(given, from, place);
    // It becomes an argument, whatever the length of the file's name.
    if (Buffer.byteLength(JSON.stringify(schema)) > mostArgumentBytes)
      this.#faults.push(
        wrong(
          place,
          `has a schema of more than ${mostArgumentBytes.toLocaleString("en")} bytes, the most that one argument may have; shorten it`,
        ),
      );
    return schema;
  }

  // Read once: changes between the check and the start of a session would be unchecked.
  #jsonObject(given: string, from: string, place: Place): Record<string, unknown> {
    if (isJsonText(given)) {
      const settings = settingsInText(given);
      if (settings === undefined) this.#faults.push(wrong(place, `is not a JSON object${jsonFault(given)}`));
      return settings ?? {};
    }
    const faultsBefore = this.#faults.length;
    const path = this.#path(given, from, place);
    if (this.#faults.length > faultsBefore) return {};
    if (kindAt(path) !== "file") {
      this.#faults.push(wrong(place, `${path} is not a file`));
      return {};
    }
    const read = readSettingsFile(path);
    if (read.kind === "settings") return read.settings;
    this.#faults.push(wrong(place, `${path} ${read.kind === "empty" ? "is empty" : read.reason}`));
    return {};
  }

  #variables(given: string, from: string, place: Place): Record<string, string> {
    const read = readVariables(given, from);
    if ("fault" in read) this.#faults.push(wrong(place, read.fault));
    return "fault" in read ? {} : read.variables;
  }

  #allowed(path: string): boolean {
    const real = realPath(path);
    return this.#roots.some((root) => isWithin(real, root));
  }

  #outside(place: Place, path: string): Fault {
    return wrong(
      place,
      `${path} is outside the allowed roots (${this.#roots.join(", ")}); the operator can add to \`allowedRoots\` in ${this.#context.inForce.file}, or set ${variableOf("allowedRoots")}`,
    );
  }

  // Only checked: created with the batch, so not for one that is refused.
  #checkWritable(directory: string, fault: (says: string) => Fault): void {
    const reason = whyUnwritable(directory);
    if (reason !== undefined) this.#faults.push(fault(`${directory} cannot be written: ${reason}`));
  }
}

/** Whether a path, with links resolved, is inside the allowed roots. */
export function insideRoots({ configuration }: Context, path: string): boolean {
  const real = realPath(path);
  return (configuration.allowedRoots ?? []).some((root) => isWithin(real, realPath(root)));
}

/** Why files cannot be written below a directory, which may not exist yet; undefined if they can. */
export function whyUnwritable(directory: string): string | undefined {
  let parent = directory;
  while (kindAt(parent) === "nothing" && dirname(parent) !== parent) parent = dirname(parent);
  if (kindAt(parent) !== "directory") return `${parent} is not a directory`;
  return isWritable(parent) ? undefined : `${parent} is not writable for you`;
}
