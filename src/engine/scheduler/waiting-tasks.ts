// Tasks that wait for others to end. None of them has a slot, or a turn in the queue. Each waits for one task at a time, so
// that an end wakes only those that it may concern: 10,000 tasks in a row are as cheap as 10,000 that need nothing.
import { type Wait, waitOf } from "../../model/prerequisites.ts";
import { type BatchState, taskOf } from "../../model/state.ts";

type WaitFor = Extract<Wait, { kind: "for" }>;

export class WaitingTasks {
  readonly #state: () => BatchState;
  /** What each waits for. */
  readonly #waits = new Map<number, WaitFor>();
  /** Those that wait for a task. */
  readonly #byTask = new Map<number, Set<number>>();

  constructor(state: () => BatchState) {
    this.#state = state;
  }

  get size(): number {
    return this.#waits.size;
  }

  has(number: number): boolean {
    return this.#waits.has(number);
  }

  /** What a task waits for. Looks at all that it starts after, because a retry may have queued one of them again. */
  waitOf(number: number): Wait {
    return waitOf(this.#state(), number);
  }

  add(number: number, wait: WaitFor): void {
    this.remove(number);
    this.#waits.set(number, wait);
    const others = this.#byTask.get(wait.task);
    if (others) others.add(number);
    else this.#byTask.set(wait.task, new Set([number]));
  }

  remove(number: number): void {
    const wait = this.#waits.get(number);
    if (!wait) return;
    this.#waits.delete(number);
    const others = this.#byTask.get(wait.task);
    others?.delete(number);
    if (others?.size === 0) this.#byTask.delete(wait.task);
  }

  /** Removes those that this is true of. */
  drop(isOut: (number: number) => boolean): void {
    for (const number of [...this.#waits.keys()]) if (isOut(number)) this.remove(number);
  }

  /** A task has ended: removes and returns those that no longer wait for another one. */
  ended(task: number): number[] {
    return [...(this.#byTask.get(task) ?? [])].filter((number) => this.#goesOn(number));
  }

  /** The same for every task that ended while nobody looked: others may cancel what is queued. */
  look(): number[] {
    return [...this.#waits].flatMap(([number, { task }]) => {
      const hasEnded = taskOf(this.#state(), task).status === "done";
      const isOver = taskOf(this.#state(), number).status !== "queued";
      return (hasEnded || isOver) && this.#goesOn(number) ? [number] : [];
    });
  }

  #goesOn(number: number): boolean {
    const { index } = this.#waits.get(number) ?? { index: 0 };
    const isOver = taskOf(this.#state(), number).status !== "queued";
    const wait = isOver ? undefined : waitOf(this.#state(), number, index);
    if (wait?.kind === "for") this.add(number, wait);
    else this.remove(number);
    return wait?.kind !== "for";
  }
}
