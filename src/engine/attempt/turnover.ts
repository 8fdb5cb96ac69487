// How soon a process of a kind can be expected to have forgotten its task, from what the last ones took: a task may wait for that
// instead of starting another process, whose start would take the processors from all that run.

/** What is known of a process that runs a task. */
interface Working {
  kind: string;
  /** Since when it starts, and then since when it has its task, on the monotonic clock in milliseconds. */
  since: number;
  isReady: boolean;
  hasTask: boolean;
}

/** Of as many of the last ones, the middle counts. */
const mostRemembered = 9;
/** A task waits for a process no longer than this many starts take. */
const patience = 2;
/** Nor longer than this, in milliseconds, because it has a slot meanwhile. */
const mostPatienceMs = 2_000;
/** Kinds whose tasks are remembered: the last ones. */
const mostKinds = 100;
/** A task that is late by this many times what the others took may take any time. */
const mostOverdue = 2;

/** The processes of one runner, by marker. */
export class Turnover {
  readonly #working = new Map<string, Working>();
  readonly #starts: number[] = [];
  /** By kind. */
  readonly #tasks = new Map<string, number[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A process starts, or one that has forgotten its task is taken for another one, and `isReady`. */
  taken(marker: string, kind: string, { isReady }: { isReady: boolean }): void {
    this.#working.set(marker, { kind, since: this.#now(), isReady, hasTask: false });
  }

  /** It takes prompts from now on. */
  ready(marker: string): void {
    const process = this.#working.get(marker);
    if (!process || process.isReady) return;
    remember(this.#starts, this.#now() - process.since);
    process.isReady = true;
    // If it had its task before, it begins with it only now.
    process.since = this.#now();
  }

  /** It has the prompt of its task. */
  prompted(marker: string): void {
    const process = this.#working.get(marker);
    if (!process) return;
    process.hasTask = true;
    if (process.isReady) process.since = this.#now();
  }

  /** It has answered. */
  answered(marker: string): void {
    const process = this.#working.get(marker);
    if (!process) return;
    this.#working.delete(marker);
    const tasks = this.#tasks.get(process.kind) ?? [];
    this.#tasks.delete(process.kind);
    this.#tasks.set(process.kind, tasks);
    remember(tasks, this.#now() - process.since);
    const [oldest] = this.#tasks.keys();
    if (oldest !== undefined && this.#tasks.size > mostKinds) this.#tasks.delete(oldest);
  }

  /** It is gone. */
  gone(marker: string): void {
    this.#working.delete(marker);
  }

  /** How long a task of this kind could wait for a process, in milliseconds, and how many should have forgotten their tasks by then. */
  soon(kind: string): { withinMs: number; processes: number } {
    const [start, task] = [middle(this.#starts), middle(this.#tasks.get(kind) ?? [])];
    if (start === undefined || task === undefined) return { withinMs: 0, processes: 0 };
    const withinMs = Math.min(patience * start, mostPatienceMs);
    const now = this.#now();
    const isNear = ({ since, hasTask, ...process }: Working) => {
      const left = since + task - now;
      return process.kind === kind && hasTask && left <= withinMs && left > -mostOverdue * task;
    };
    return { withinMs, processes: [...this.#working.values()].filter(isNear).length };
  }
}

function remember(list: number[], value: number): void {
  list.push(value);
  if (list.length > mostRemembered) list.shift();
}

function middle(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
