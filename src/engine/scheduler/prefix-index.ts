// Which tasks of a batch share the beginning of their requests.
import { prefixOf } from "../../claude/prefix.ts";
import type { Batch } from "../../model/event.ts";
import type { SessionOptions } from "../../model/options.ts";
import { type SessionValues, variableNames, variablesOf } from "../../model/session-values.ts";
import { optionsOf, workingDirectoryOf } from "../../model/task-options.ts";
import { realPath } from "../../platform/files.ts";

export class PrefixIndex {
  readonly #values: SessionValues;
  // A retry that changes options replaces the list of tasks.
  #tasks: Batch["tasks"] | undefined;
  #keys: (readonly string[])[] = [];
  #members = new Map<string, number[]>();
  /** Real paths of directories, which many tasks name. */
  readonly #directories = new Map<string, string>();

  /** `values` of the variables that tasks give their sessions. */
  constructor(values: SessionValues) {
    this.#values = values;
  }

  /**
   * What a task shares with others, from the part that most share to the one that fewest do: tools and constant part of the
   * system prompt; then with the part about the directory.
   */
  keysOf(batch: Batch, number: number): readonly string[] {
    this.#update(batch);
    return this.#keys[number - 1] ?? [];
  }

  /** The numbers of all tasks with a key, in order. */
  membersOf(batch: Batch, key: string): readonly number[] {
    this.#update(batch);
    return this.#members.get(key) ?? [];
  }

  /** Whether other batches may know what a task begins with. Values of variables leave this process in no form. */
  mayBeKnown(batch: Batch, number: number): boolean {
    return optionsOf(batch, number).env === undefined;
  }

  #update(batch: Batch): void {
    if (this.#tasks === batch.tasks && this.#keys.length === batch.tasks.length) return;
    this.#tasks = batch.tasks;
    this.#members = new Map();
    const known = new Map<SessionOptions, readonly string[]>();
    this.#keys = batch.tasks.map((_, index) => {
      const number = index + 1;
      const options = optionsOf(batch, number);
      const keys = known.get(options) ?? this.#keysFrom(batch, number, options);
      // Values of variables are each task's own.
      if (options.env === undefined) known.set(options, keys);
      for (const key of keys) {
        const members = this.#members.get(key);
        if (members) members.push(number);
        else this.#members.set(key, [number]);
      }
      return keys;
    });
  }

  #keysFrom(batch: Batch, number: number, options: SessionOptions): readonly string[] {
    const variables = options.env && variablesOf(this.#values, number, variableNames(options.env));
    // Other versions of the CLI have other tools and system prompts.
    const { claudePath, claudeVersion } = batch;
    const program = claudeVersion ?? claudePath;
    const shared = digest(JSON.stringify([prefixOf(options), variables ?? null, program]));
    return [shared, digest(`${shared} ${this.#real(workingDirectoryOf(batch, options))}`)];
  }

  #real(directory: string): string {
    const real = this.#directories.get(directory) ?? realPath(directory);
    this.#directories.set(directory, real);
    return real;
  }
}

function digest(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("base64url");
}
