// Makes a batch of what was asked for, after everything about it has been checked and nothing has run.
import { z } from "zod";
import { findClaude } from "../claude/find.ts";
import { newBatchId } from "../model/batch-id.ts";
import { type Configuration, commandWords } from "../model/configuration.ts";
import type { Batch, Task } from "../model/event.ts";
import {
  batchOptions,
  type Concurrency,
  type SessionOptionsInput,
  sessionOptions,
} from "../model/options.ts";
import type { SessionValues } from "../model/session-values.ts";
import { isWritable, kindAt, realPath } from "../platform/files.ts";
import { absolutePath, dirname, homeDirectory, isWithin } from "../platform/paths.ts";
import { layoutOf } from "../store/layout.ts";
import { checkVersion } from "./claude-version.ts";
import { stateDirectoryOf } from "./configuration.ts";
import type { Context } from "./context.ts";
import { type Checked, check } from "./faults.ts";
import { depthFault } from "./guard.ts";
import { forkFaults, sessionFaults, versionNeeded } from "./session-faults.ts";
import { settingsWarnings } from "./settings-warnings.ts";
import { knownNames, parallelInput, sessionInput } from "./spawn-input.ts";
import { readVariables } from "./variables.ts";

type StartedBy = Batch["startedBy"];
type RawOptions = Record<string, unknown>;

interface Asked {
  /** Options of the whole batch and of its sessions, as written. */
  shared: RawOptions;
  tasks: { prompt: string; place: string; options: SessionOptionsInput }[];
}

/** A batch, and the values of its variables, which are no part of it: what is in a batch is stored. */
export interface PlannedBatch {
  batch: Batch;
  values: SessionValues;
}

/** The batch, or every fault in what was asked for. */
export async function planBatch(
  context: Context,
  startedBy: StartedBy,
  input: unknown,
): Promise<Checked<PlannedBatch>> {
  const asked = askedFor(startedBy, input);
  if (!asked.ok) return asked;
  const { configuration } = context;
  const faults: string[] = [];
  const depth = depthFault(context);
  if (depth !== undefined) faults.push(depth);
  const claude = findClaude(configuration.claudePath);
  if (!claude.found) faults.push(claude.message);

  const places = new Places(context, faults);
  const { shared, tasks } = asked.value;
  const needed = [shared, ...tasks.map(({ options }) => options)]
    .map(versionNeeded)
    .find((version) => version !== undefined);
  const checked = claude.found ? await checkVersion(context, claude.path, needed) : undefined;
  if (checked?.fault !== undefined) faults.push(checked.fault);
  const batchWide = batchOptions.parse(pick(shared, Object.keys(batchOptions.shape)));
  const common = places.absolute(sessionOptions.partial().parse(pick(shared, sessionNames)), shared, "");
  const workingDirectory = places.defaultWorkingDirectory([common, ...tasks.map(({ options }) => options)]);
  faults.push(...sessionFaults(common, { context, place: "", claudeVersion: checked?.version }));
  const values: SessionValues = { shared: variablesIn(common), tasks: {} };
  const planned = tasks.map(({ prompt, place, options }, index): Task => {
    const own = places.absolute(options, options, place);
    faults.push(...sessionFaults(own, { context, place, claudeVersion: checked?.version }));
    faults.push(...forkFaults({ ...common, ...own }, Object.keys(own).length > 0 ? place : ""));
    if (Object.keys(own).length === 0) return { prompt };
    const variables = variablesIn(own);
    if (Object.keys(variables).length > 0) values.tasks[String(index + 1)] = variables;
    return { prompt, options: withNamesOnly(own, values.shared) };
  });
  const warnings = settingsWarnings(common, planned, workingDirectory);
  const budgetUsd = batchWide.batchBudgetUsd ?? configuration.batchBudgetUsd;
  const batchId = newBatchId();
  const outputDirectory = places.outputDirectory(batchWide.outputDirectory, batchWide.asyncMode, batchId);
  if (faults.length > 0 || !claude.found) return { ok: false, faults: [...new Set(faults)] };
  checked?.keep();
  return {
    ok: true,
    value: {
      batch: {
        batchId,
        ...(batchWide.batchName === undefined ? {} : { name: batchWide.batchName }),
        startedBy,
        asyncMode: batchWide.asyncMode,
        tasks: planned,
        sessionOptions: withNamesOnly(common),
        concurrency: lowerOf(batchWide.concurrency ?? "auto", configuration.concurrency),
        slots: configuration.concurrency,
        ...(configuration.memoryLimitMb === undefined ? {} : { memoryLimitMb: configuration.memoryLimitMb }),
        loginProofSeconds: configuration.loginProofSeconds,
        loginPatienceSeconds: configuration.loginPatienceSeconds,
        ...(budgetUsd === undefined ? {} : { budgetUsd }),
        failureMode: batchWide.failureMode,
        outputDirectory,
        claudePath: claude.path,
        workingDirectory,
        notifications: configuration.notifications,
        ...(configuration.notifyCommand === undefined
          ? {}
          : { notifyCommand: commandWords(configuration.notifyCommand) }),
        ...(warnings.length === 0 ? {} : { warnings }),
      },
      values,
    },
  };
}

function variablesIn({ env }: RawOptions): Record<string, string> {
  const parsed = variables.safeParse(env);
  return parsed.success ? parsed.data : {};
}

const variables = z.record(z.string(), z.string());

// As it is stored. A task has the variables of its batch beside its own.
function withNamesOnly(options: RawOptions, shared: Record<string, string> = {}): RawOptions {
  if (options["env"] === undefined) return options;
  const names = Object.keys({ ...shared, ...variablesIn(options) });
  return { ...options, env: Object.fromEntries(names.map((name) => [name, ""])) };
}

// Two ceilings make the lower one; `auto` is none of its own.
function lowerOf(one: Concurrency, other: Concurrency): Concurrency {
  if (one === "auto" || other === "auto") return one === "auto" ? other : one;
  return Math.min(one, other);
}

const sessionNames = Object.keys(sessionOptions.shape);

function askedFor(startedBy: StartedBy, input: unknown): Checked<Asked> {
  if (startedBy === "spawn_claude_session") {
    const checked = check(sessionInput, input, Object.keys(sessionInput.shape));
    if (!checked.ok) return checked;
    return {
      ok: true,
      value: { shared: rawObject(input), tasks: [{ prompt: checked.value.task, place: "", options: {} }] },
    };
  }
  const checked = check(parallelInput, input, knownNames);
  if (!checked.ok) return checked;
  const shared = rawObject(input);
  const raw = Array.isArray(shared["tasks"]) ? shared["tasks"] : [];
  const tasks = checked.value.tasks.map((task, index) => {
    const place = `tasks[${index}].`;
    if (typeof task === "string") return { prompt: task, place, options: {} };
    // Parsing has filled in defaults, which would win over the batch's own values.
    return { prompt: task.task, place, options: pick(rawObject(raw[index]), sessionNames) };
  });
  return { ok: true, value: { shared, tasks } };
}

function rawObject(value: unknown): RawOptions {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function pick(options: RawOptions, names: readonly string[]): RawOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

/** Checks everything that names a place on disk, and what needs the operator's leave. */
class Places {
  readonly #context: Context;
  readonly #faults: string[];
  readonly #roots: string[];

  constructor(context: Context, faults: string[]) {
    this.#context = context;
    this.#faults = faults;
    this.#roots = (context.configuration.allowedRoots ?? []).map(realPath);
  }

  /** The options as written, with absolute paths. Only what was written is kept: defaults come last of all. */
  absolute(options: SessionOptionsInput, written: RawOptions, place: string): RawOptions {
    const base = options.workingDirectory;
    const from = base === undefined ? this.#start() : this.#resolve(base, this.#start());
    const kept = pick(written, sessionNames);
    return {
      ...kept,
      ...(base === undefined ? {} : { workingDirectory: this.#directory(from, `${place}workingDirectory`) }),
      ...(options.addDirectories
        ? {
            addDirectories: options.addDirectories.map((path, index) =>
              this.#directory(this.#resolve(path, from), `${place}addDirectories[${index}]`),
            ),
          }
        : {}),
      ...(typeof options.mcpConfig === "string"
        ? { mcpConfig: this.#jsonFile(options.mcpConfig, from, `${place}mcpConfig`) }
        : {}),
      ...(typeof options.env === "string" ? { env: this.#variables(options.env, from, `${place}env`) } : {}),
      ...(typeof options.settings === "string"
        ? { settings: this.#jsonFile(options.settings, from, `${place}settings`) }
        : {}),
    };
  }

  /** Option, then configuration, then where we stand: unless that is `/`, or outside the allowed roots. */
  defaultWorkingDirectory(needs: readonly SessionOptionsInput[]): string {
    const [common, ...tasks] = needs;
    const start = this.#start();
    if (common?.workingDirectory !== undefined) return common.workingDirectory;
    if (tasks.every(({ workingDirectory }) => workingDirectory !== undefined)) return start;
    if (start === dirname(start) || !this.#allowed(start)) {
      this.#faults.push(
        `workingDirectory is missing: this program was started in ${start}, which is not a place to work in. Give \`workingDirectory\`, or set PARALLEL_CLAUDE_WORKING_DIRECTORY`,
      );
    } else if (kindAt(start) !== "directory") {
      this.#faults.push(`the configured workingDirectory ${start} is not a directory`);
    }
    return start;
  }

  /** Where files go: of a sync batch without a directory of its own, into the state directory. */
  outputDirectory(given: string | undefined, asyncMode: boolean, batchId: Batch["batchId"]): string {
    const { configuration } = this.#context;
    if (given === undefined && !asyncMode) return layoutOf(stateDirectoryOf(configuration)).pages(batchId);
    const directory =
      given === undefined
        ? configuration.outputDirectory
        : this.#resolve(given, this.#context.workingDirectory);
    const place = given === undefined ? "the configured outputDirectory" : "outputDirectory";
    if (given !== undefined && !this.#allowed(directory)) this.#faults.push(this.#outside(place, directory));
    else this.#checkWritable(directory, place);
    return directory;
  }

  #start(): string {
    return this.#context.configuration.workingDirectory ?? this.#context.workingDirectory;
  }

  #resolve(path: string, from: string): string {
    return absolutePath(path, from);
  }

  #directory(path: string, place: string): string {
    const kind = kindAt(path);
    if (kind === "nothing") this.#faults.push(`${place} ${path} does not exist`);
    else if (kind !== "directory") this.#faults.push(`${place} ${path} is not a directory`);
    else if (!this.#allowed(path)) this.#faults.push(this.#outside(place, path));
    return path;
  }

  #jsonFile(given: string, from: string, place: string): string {
    if (given.trimStart().startsWith("{")) return given;
    const path = this.#resolve(given, from);
    if (kindAt(path) !== "file") this.#faults.push(`${place} ${path} is not a file`);
    return path;
  }

  #variables(given: string, from: string, place: string): Record<string, string> {
    const read = readVariables(given, from);
    if ("fault" in read) this.#faults.push(`${place} ${read.fault}`);
    return "fault" in read ? {} : read.variables;
  }

  #allowed(path: string): boolean {
    const real = realPath(path);
    return this.#roots.some((root) => isWithin(real, root));
  }

  #outside(place: string, path: string): string {
    return `${place} ${path} is outside the allowed roots (${this.#roots.join(", ")}); the operator can add to \`allowedRoots\` in ${this.#context.inForce.file}, or set PARALLEL_CLAUDE_ALLOWED_ROOTS`;
  }

  // Looked at only: it is made with the batch, and not for one that is refused.
  #checkWritable(directory: string, place: string): void {
    const hindrance = hindranceToWriting(directory);
    if (hindrance !== undefined) this.#faults.push(`${place} ${directory} cannot be written: ${hindrance}`);
  }
}

/** Why files cannot be written below a directory, which may still have to be made; nothing when they can. */
export function hindranceToWriting(directory: string): string | undefined {
  let parent = directory;
  while (kindAt(parent) === "nothing" && dirname(parent) !== parent) parent = dirname(parent);
  if (kindAt(parent) !== "directory") return `${parent} is not a directory`;
  return isWritable(parent) ? undefined : `${parent} is not writable for you`;
}

/** Where a batch goes that was started without a directory, once nobody waits for it any more. */
export function handOverDirectory(configuration: Configuration, batch: Batch): string | undefined {
  const pages = layoutOf(stateDirectoryOf(configuration)).pages(batch.batchId);
  return batch.outputDirectory === pages
    ? absolutePath(configuration.outputDirectory, homeDirectory())
    : undefined;
}
