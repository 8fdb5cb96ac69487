// A schedule as it was asked for, and what a system needs for it: files to write, and commands that make it heed them.
import type { Calendar } from "./calendar.ts";

/** What is to run, and when. */
export interface Schedule {
  name: string;
  /** As written. */
  when: string;
  calendar: Calendar;
  /** The words of this program: `["run", "-f", "tasks.md"]`. */
  command: readonly string[];
  /** How the program itself is started. */
  program: readonly string[];
  workingDirectory: string;
  /** Variables to set. None is a secret. */
  environment: Readonly<Record<string, string>>;
  /** Where what it prints goes. */
  log: string;
}

export interface PlannedFile {
  path: string;
  text: string;
  encoding: "utf-8" | "utf-16le";
}

/** What a system needs to start something by itself. */
export interface Plan {
  files: readonly PlannedFile[];
  /** Run one after another, once the files are written. */
  install: readonly (readonly string[])[];
  /** Run before the files are removed. One that fails does not count if the system does not know the schedule any more. */
  remove: readonly (readonly string[])[];
  /** Succeeds as long as the system knows the schedule, and would start it. */
  knows: readonly string[];
  /** Run after they are removed. */
  removed: readonly (readonly string[])[];
}
