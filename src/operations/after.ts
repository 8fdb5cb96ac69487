// What tasks start after: the keys, names and numbers that callers give, as numbers. Checked before anything runs.
import { resultNamesIn } from "../model/results-named.ts";
import { type Fault, general, instead, type Place, wrong } from "./fault.ts";
import { excerpt } from "./faults.ts";
import { nearest } from "./nearest.ts";

/** A task as given, as far as its order needs it. */
export interface Ordered {
  place: Place;
  prompt: string;
  key?: string | undefined;
  /** Its option `name`. */
  name?: string | undefined;
  /** Keys, names and numbers. */
  after?: readonly string[] | undefined;
}

/** For a task as stored. */
export interface Order {
  after?: number[];
  results?: Record<string, number>;
}

/** Most wrong names for which the nearest known one is searched: with 10,000 tasks, each takes some milliseconds. */
const mostSuggested = 20;

/** The order of each task, with faults for names that nobody has, and for tasks that wait for each other. */
export function orderOf(tasks: readonly Ordered[], faults: Fault[]): Order[] {
  if (tasks.every(({ after }) => after === undefined)) return tasks.map(() => ({}));
  const found = new Finder(tasks);
  const orders = tasks.map((task, index): Order => {
    if (task.after === undefined) return {};
    const own = task.after.map((given, at) =>
      found.task(given, { own: index + 1, place: [...task.place, "after", at] }),
    );
    const numbers = own.flatMap((one) => (typeof one === "number" ? one : []));
    faults.push(...own.flatMap((one) => (typeof one === "number" ? [] : one)));
    const results = resultsOf(task, (name) => {
      const one = found.number(name);
      return typeof one === "number" && numbers.includes(one) ? one : undefined;
    });
    // Without its names, a prompt cannot be checked.
    if (numbers.length === own.length) faults.push(...results.faults);
    const named = Object.keys(results.found).length > 0 ? { results: results.found } : {};
    return { after: [...new Set(numbers)], ...named };
  });
  const cycle = cycleIn(orders.map(({ after = [] }) => after));
  if (cycle)
    faults.push(
      general(
        `tasks wait for each other, so none of them could start: ${cycle.map((one) => found.label(one)).join(" → ")}`,
      ),
    );
  return orders;
}

/** Faults of keys that two tasks have. */
export function keyFaults(tasks: readonly Ordered[]): Fault[] {
  const taken = new Map<string, number>();
  return tasks.flatMap(({ key, place }, index) => {
    if (key === undefined) return [];
    const other = taken.get(key);
    if (other === undefined) taken.set(key, index + 1);
    return other === undefined
      ? []
      : [wrong([...place, "key"], `is ${excerpt(key)}, as that of task ${other}: each needs its own`)];
  });
}

class Finder {
  readonly #tasks: readonly Ordered[];
  readonly #keys = new Map<string, number[]>();
  readonly #names = new Map<string, number[]>();
  #suggested = 0;

  constructor(tasks: readonly Ordered[]) {
    this.#tasks = tasks;
    for (const [index, { key, name }] of tasks.entries()) {
      if (key !== undefined) add(this.#keys, key, index + 1);
      if (name !== undefined) add(this.#names, name, index + 1);
    }
  }

  /** The number of a task; several if they share a name, and undefined if none is meant. */
  number(given: string): number | readonly number[] | undefined {
    const [first, ...others] = this.#keys.get(given) ?? this.#names.get(given) ?? [];
    if (first !== undefined) return others.length === 0 ? first : [first, ...others];
    return /^[1-9]\d*$/.test(given) && Number(given) <= this.#tasks.length ? Number(given) : undefined;
  }

  task(given: string, { own, place }: { own: number; place: Place }): number | Fault {
    const number = this.number(given);
    if (number === own) return wrong(place, "names the task itself");
    if (typeof number === "number") return number;
    if (number)
      return wrong(
        place,
        `is the name of several tasks (${number.slice(0, 5).join(", ")}${number.length > 5 ? " …" : ""}): give a key or a number`,
      );
    return instead(
      place,
      excerpt(given),
      "expected the key, name or number of another task",
      this.#nearest(given),
    );
  }

  label(number: number): string {
    const { key, name } = this.#tasks[number - 1] ?? {};
    return key ?? name ?? `task ${number}`;
  }

  #nearest(given: string): string | undefined {
    if (this.#suggested++ >= mostSuggested) return undefined;
    return nearest(given, [...this.#keys.keys(), ...this.#names.keys()]);
  }
}

function add(into: Map<string, number[]>, name: string, number: number): void {
  const others = into.get(name);
  if (others) others.push(number);
  else into.set(name, [number]);
}

// Without `after`, the words are text like any other.
function resultsOf(
  { prompt, place }: Ordered,
  numberOf: (name: string) => number | undefined,
): { found: Record<string, number>; faults: Fault[] } {
  const found: Record<string, number> = {};
  const faults: Fault[] = [];
  for (const name of resultNamesIn(prompt)) {
    const number = numberOf(name);
    if (number === undefined)
      faults.push(
        wrong([...place, "task"], `has {{results.${name}}}, and \`after\` does not name that task`),
      );
    else found[name] = number;
  }
  return { found, faults };
}

/** The tasks of a cycle, the first one again at its end; undefined if there is none. Tasks are 1-based. */
export function cycleIn(after: readonly (readonly number[])[]): number[] | undefined {
  /** Tasks from which no cycle is reached. */
  const done = new Set<number>();
  for (const start of after.keys()) {
    // The way from the start, with the next branch to look at in each place. No recursion: a way may have 10,000 tasks.
    const way: { task: number; next: number }[] = [{ task: start + 1, next: 0 }];
    const onWay = new Set([start + 1]);
    for (let last = way.at(-1); last; last = way.at(-1)) {
      const task = done.has(last.task) ? undefined : after[last.task - 1]?.[last.next++];
      if (task === undefined) {
        done.add(last.task);
        onWay.delete(last.task);
        way.pop();
      } else if (onWay.has(task)) {
        const cycle = way.map((one) => one.task).slice(way.findIndex((one) => one.task === task));
        return [...cycle, task];
      } else if (!done.has(task)) {
        onWay.add(task);
        way.push({ task, next: 0 });
      }
    }
  }
  return undefined;
}
