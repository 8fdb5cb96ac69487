// Paths as the log stores them. Those below the state directory are stored relative to it, so that the directory can be
// moved, copied, and restored elsewhere.
import type { BatchId } from "../model/batch-id.ts";
import type { EventBody, Task } from "../model/event.ts";
import { farDirectoryIn } from "../model/far-directory.ts";
import { hostOf } from "../model/session-ref.ts";
import { isAbsolute, isWithin, join, relative } from "../platform/paths.ts";
import { batchesFolder } from "./layout.ts";

/** The paths of one batch's log. */
export class KeptPaths {
  readonly #stateDirectory: string;
  readonly #batchId: BatchId;
  /** The rest of a path after the batch's own folder, in any state directory on any system. */
  readonly #inFolder: RegExp;

  constructor(stateDirectory: string, batchId: BatchId) {
    this.#stateDirectory = stateDirectory;
    this.#batchId = batchId;
    this.#inFolder = new RegExp(`(?:^|[\\\\/])${batchesFolder}[\\\\/]${batchId}[\\\\/](.*)$`, "s");
  }

  /** A path as stored. */
  kept(path: string): string {
    if (!isAbsolute(path) || !isWithin(path, this.#stateDirectory)) return path;
    return relative(this.#stateDirectory, path).replaceAll("\\", "/");
  }

  /**
   * The current absolute path. Older programs stored absolute ones, which are recognized by the batch's folder, wherever
   * it was then.
   */
  absolute(path: string): string {
    const inFolder = this.#inFolder.exec(path)?.[1];
    if (inFolder !== undefined)
      return join(this.#stateDirectory, batchesFolder, this.#batchId, ...inFolder.split(/[\\/]/));
    return isAbsolute(path) ? path : join(this.#stateDirectory, path);
  }

  /** An event as stored. */
  keptEvent<Body extends EventBody>(body: Body): Body {
    return withPaths(
      body,
      (path) => this.kept(path),
      (text) => (this.#isInFolder(text) ? this.kept(text) : text),
    );
  }

  /** An event with current paths. */
  eventToday<Body extends EventBody>(body: Body): Body {
    return withPaths(
      body,
      (path) => this.absolute(path),
      (text) => (this.#isInFolder(text) ? this.absolute(text) : text),
    );
  }

  // For options, only whole values: a text may mention a path.
  #isInFolder(text: string): boolean {
    const begins = text.startsWith(`${batchesFolder}/${this.#batchId}/`);
    return begins || (/^(?:[\\/]|[A-Za-z]:)[^\n]*$/.test(text) && this.#inFolder.test(text));
  }
}

// `place` is for what is always a path, `option` for what may be one.
function withPaths<Body extends EventBody>(
  body: Body,
  place: (path: string) => string,
  option: (text: string) => string,
): Body;
function withPaths(
  body: EventBody,
  place: (path: string) => string,
  option: (text: string) => string,
): EventBody {
  switch (body.type) {
    case "batch-created": {
      const { batch } = body;
      const known = new Map<object, Record<string, unknown>>();
      return {
        ...body,
        batch: {
          ...batch,
          outputDirectory: place(batch.outputDirectory),
          sessionOptions: optionsWith(batch.sessionOptions, option),
          tasks: batch.tasks.map((task) => taskWith(task, option, known)),
        },
      };
    }
    case "tasks-added":
      return { ...body, tasks: body.tasks.map((task) => taskWith(task, option)) };
    case "retry-requested":
      return body.options ? { ...body, options: optionsWith(body.options, option) } : body;
    case "leash-released":
      return body.outputDirectory === undefined
        ? body
        : { ...body, outputDirectory: place(body.outputDirectory) };
    case "attempt-started": {
      const { transcript, workingDirectory, identity } = body;
      // A directory of another machine does not move with this one's.
      const host = hostOf(identity);
      const isFar = host !== undefined && farDirectoryIn(workingDirectory ?? "", [host]) !== undefined;
      return {
        ...body,
        transcript: place(transcript),
        ...(workingDirectory !== undefined && !isFar ? { workingDirectory: place(workingDirectory) } : {}),
      };
    }
    case "attempt-ended": {
      const { outcome } = body;
      if (outcome.kind !== "succeeded" || !outcome.reused) return body;
      const { reused } = outcome;
      return {
        ...body,
        outcome: { ...outcome, reused: { ...reused, transcript: place(reused.transcript) } },
      };
    }
    case "check-started":
      return { ...body, transcript: place(body.transcript) };
    case "file-failed":
      return { ...body, path: place(body.path) };
    default:
      return body;
  }
}

// Tasks that share their options (`known`) go on sharing them.
function taskWith(
  task: Task,
  change: (text: string) => string,
  known = new Map<object, Record<string, unknown>>(),
): Task {
  if (!task.options) return task;
  const options = known.get(task.options) ?? optionsWith(task.options, change);
  known.set(task.options, options);
  return { ...task, options };
}

function optionsWith(
  options: Record<string, unknown>,
  change: (text: string) => string,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, changed(value, change)]));
}

// A text, or a list of texts such as directories.
function changed(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  return Array.isArray(value) ? value.map((item) => (typeof item === "string" ? change(item) : item)) : value;
}
