// The pages of sessions as `ui` serves them, made from their transcripts when somebody asks. While a session runs, its page
// asks again and again: it gets what was made last, until that is old enough.
import { sessionViewOf } from "../../engine/output/session-view.ts";
import type { TaskState } from "../../model/state.ts";
import { sessionPage, sessionUpdate } from "../../report/session/session-page.ts";
import type { BatchLog } from "../../store/batch-log.ts";
import { stateWordOf } from "../../store/batch-status.ts";
import type { Context } from "../context.ts";
import { rowOf } from "../find-batch.ts";
import { addressesOf } from "./addresses.ts";
import { hasPage } from "./shown-batch.ts";

/** The least age of an update before the next one is made, in milliseconds. */
const leastAgeMs = 900;
/** Making updates of one session may take one of these parts of the time. */
const parts = 50;
/** Most updates that are kept. */
const mostKept = 16;

interface Kept {
  text: Promise<string>;
  /** On the monotonic clock, in milliseconds. */
  until: number;
}

export class SessionPages {
  readonly #kept = new Map<string, Kept>();

  /** The page in pieces. */
  async page(context: Context, log: BatchLog, task: TaskState): Promise<Iterable<string>> {
    return sessionPage(await viewOf(context, log, task)).pieces();
  }

  /** The update of an open page. */
  update(context: Context, log: BatchLog, task: TaskState): Promise<string> {
    const name = addressesOf(log.batchId).session(task.number);
    const began = performance.now();
    const known = this.#kept.get(name);
    // The end of a task is shown at once.
    if (known && began < known.until && task.status !== "done") return known.text;
    const kept: Kept = { text: updateOf(context, log, task), until: Number.POSITIVE_INFINITY };
    this.#keep(name, kept);
    const aged = () => {
      const took = performance.now() - began;
      kept.until = began + took + Math.max(leastAgeMs, took * parts);
    };
    kept.text.then(aged, () => this.#kept.delete(name));
    return kept.text;
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.delete(name);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, kept);
  }
}

async function updateOf(context: Context, log: BatchLog, task: TaskState): Promise<string> {
  return [...sessionUpdate(await viewOf(context, log, task))].join("");
}

async function viewOf(context: Context, log: BatchLog, task: TaskState) {
  const addresses = addressesOf(log.batchId);
  return sessionViewOf(log.state, task, {
    links: { result: hasPage(task) ? addresses.task(task.number) : undefined, report: addresses.page },
    feedHref: addresses.sessionFeed(task.number),
    isServed: true,
    isInterrupted: stateWordOf(rowOf(context, log)) === "interrupted",
    now: Date.now(),
  });
}
