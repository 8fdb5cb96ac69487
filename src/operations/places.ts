// Checks everything that names a place on disk: where the sessions of a batch work, and which files they get.
import { isJsonText, readSettingsFile, settingsInText } from "../claude/settings-file.ts";
import { variableOf } from "../model/configuration.ts";
import type { Batch } from "../model/event.ts";
import { farDirectoryIn } from "../model/far-directory.ts";
import { type SessionOptionsInput, sessionOptions } from "../model/options.ts";
import { option, prose } from "../model/prose.ts";
import { isWritable, kindAt, realPath } from "../platform/files.ts";
import { dirname } from "../platform/paths.ts";
import { layoutOf } from "../store/layout.ts";
import { allowedRoots, insideRoots, outsideText, whyNotRead } from "./allowed-roots.ts";
import { stateDirectoryOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type Fault, general, type Place, wrong } from "./fault.ts";
import { excerpt, jsonFault } from "./faults.ts";
import { laidOut } from "./hand-over-directory.ts";
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
  /** Which file each object was read from. */
  readonly #files = new WeakMap<object, string>();
  /** The machines of the batch. */
  #hosts: readonly string[] = [];

  constructor(context: Context, faults: Fault[]) {
    this.#context = context;
    this.#faults = faults;
    this.#roots = allowedRoots(context);
  }

  /** Directories on these machines are looked at there, when a session starts. */
  workOn(hosts: readonly string[]): void {
    this.#hosts = hosts;
  }

  /** Where relative paths of files here begin, for a batch that works in a directory: on another machine, that has none of them. */
  baseIn(workingDirectory: string): string {
    return farDirectoryIn(workingDirectory, this.#hosts) ? this.#start() : workingDirectory;
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
    const start = this.baseIn(base ?? this.#start());
    const named = (...inner: Place): Place => [...place, ...inner];
    const own =
      workingDirectory === undefined
        ? undefined
        : this.#directory(workingDirectory, start, named("workingDirectory"));
    const from = own === undefined || farDirectoryIn(own, this.#hosts) ? start : own;
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
        ? { settings: this.#jsonObject(settings, from, named("settings")) }
        : {}),
    };
  }

  /** The file that settings, or a schema, were read from; undefined if the caller wrote them out. */
  fileOf(value: object): string | undefined {
    return this.#files.get(value);
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
      return laidOut(configuration, outputDirectory, batchId);
    }
    const faultsBefore = this.#faults.length;
    const place = ["outputDirectory"];
    const directory = this.#path(given, from, place);
    if (this.#faults.length > faultsBefore) return directory;
    if (!this.#allowed(directory)) this.#faults.push(this.#outside(place, directory));
    else this.#checkWritable(directory, (says) => wrong(place, says));
    // By the time that files are written, a link may lead elsewhere.
    return laidOut(configuration, realPath(directory), batchId);
  }

  /**
   * The absolute path of a file to read, which exists; or what is wrong. A client's model may only read within the allowed
   * roots, and a person whatever they can.
   */
  inputFile(given: string, from: string, place: Place): { path: string } | { faults: Fault[] } {
    const read = readPath(given, from);
    if ("fault" in read) return { faults: [wrong(place, `${excerpt(given)} ${read.fault}`)] };
    const { path } = read;
    const refused = whyNotRead(this.#context, path);
    if (refused !== undefined) return { faults: [wrong(place, `${path} ${refused}`)] };
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
    if (farDirectoryIn(given, this.#hosts)) return given;
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
    return this.#readable(given, from, place) ?? { mcpServers: {} };
  }

  // The absolute path of a file that may be read for this caller; undefined if it may not, which is a fault then.
  #readable(given: string, from: string, place: Place): string | undefined {
    const faultsBefore = this.#faults.length;
    const path = this.#path(given, from, place);
    if (this.#faults.length > faultsBefore) return undefined;
    const refused = whyNotRead(this.#context, path);
    if (refused === undefined) return path;
    this.#faults.push(wrong(place, `${path} ${refused}`));
    return undefined;
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
    const path = this.#readable(given, from, place);
    if (path === undefined) return {};
    if (kindAt(path) !== "file") {
      this.#faults.push(wrong(place, `${path} is not a file`));
      return {};
    }
    const read = readSettingsFile(path);
    if (read.kind === "settings") {
      this.#files.set(read.settings, path);
      return read.settings;
    }
    this.#faults.push(wrong(place, `${path} ${read.kind === "empty" ? "is empty" : read.reason}`));
    return {};
  }

  #variables(given: string, from: string, place: Place): Record<string, string> {
    const read = readVariables(this.#context, given, from);
    if ("fault" in read) this.#faults.push(wrong(place, read.fault));
    return "fault" in read ? {} : read.variables;
  }

  #allowed(path: string): boolean {
    return insideRoots(this.#context, path);
  }

  #outside(place: Place, path: string): Fault {
    return wrong(place, `${path} ${outsideText(this.#context)}`);
  }

  // Only checked: created with the batch, so not for one that is refused.
  #checkWritable(directory: string, fault: (says: string) => Fault): void {
    const reason = whyUnwritable(directory);
    if (reason !== undefined) this.#faults.push(fault(`${directory} cannot be written: ${reason}`));
  }
}

/** Why files cannot be written below a directory, which may not exist yet; undefined if they can. */
export function whyUnwritable(directory: string): string | undefined {
  let parent = directory;
  while (kindAt(parent) === "nothing" && dirname(parent) !== parent) parent = dirname(parent);
  if (kindAt(parent) !== "directory") return `${parent} is not a directory`;
  return isWritable(parent) ? undefined : `${parent} is not writable for you`;
}
