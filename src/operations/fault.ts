// What is wrong with something that a user wrote, as a value. It is made where it is found, and worded by each door for
// its reader (`fault-text.ts`).
import type { Prose } from "../model/prose.ts";

/** Where in an input: `["tasks", 3, "model"]`; the whole input where it is empty. */
export type Place = readonly PropertyKey[];

export type Fault =
  | { kind: "missing"; place: Place; expected: Prose }
  /** `given` is an excerpt without secrets. `near`: the value that was probably meant. */
  | { kind: "given"; place: Place; given: string; expected: Prose; near?: string | undefined }
  /** A name that nobody knows, and those that are like it. */
  | { kind: "unknown"; place: Place; near: readonly string[] }
  /** Another name for `meant`, which is given too. */
  | { kind: "twice"; place: Place; meant: string }
  /** In a task, though `meant` is an option of the whole batch. */
  | { kind: "of-batch"; place: Place; meant: string }
  /** In the object `beside`, though `meant` stands beside it. */
  | { kind: "too-deep"; place: Place; beside: string; meant: string }
  /** Beside the object `holder`, though `meant` stands in it. */
  | { kind: "too-high"; place: Place; holder: string; meant: string }
  /** An option of something else of ours. */
  | { kind: "elsewhere"; place: Place; owner: string }
  /** Anything else that is wrong in a place, as a sentence whose subject the place is. */
  | { kind: "wrong"; place: Place; says: Prose }
  /** What is wrong in no place of the input. */
  | { kind: "general"; says: Prose };

/** Something else that is wrong there: `wrong(["model"], "is too old")`. */
export function wrong(place: Place, says: Prose): Fault {
  return { kind: "wrong", place, says };
}

/** Another value is expected: `instead(["effort"], '"huge"', "expected one of low, high")`. */
export function instead(place: Place, given: string, expected: Prose, near?: string): Fault {
  return { kind: "given", place, given, expected, ...(near === undefined ? {} : { near }) };
}

export function general(says: Prose): Fault {
  return { kind: "general", says };
}

/** The same faults, in an input that has this one at a place. */
export function faultsAt(place: Place, faults: readonly Fault[]): Fault[] {
  return faults.map((fault) =>
    fault.kind === "general" ? fault : { ...fault, place: [...place, ...fault.place] },
  );
}

/** Each once, however many tasks have it. */
export function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}
