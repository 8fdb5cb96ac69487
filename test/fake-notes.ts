// What the fake `claude` has noted of its processes and prompts.
import { existsSync, readFileSync } from "node:fs";
import type { Home } from "./harness.ts";

/** A start, a prompt or a result. */
interface Note {
  kind: string;
  pid: number;
  prompt?: string;
}

/** What the fake has noted, in order. */
export function notes(home: Home): Note[] {
  if (!existsSync(home.startsLog)) return [];
  // The last line may be only half there.
  const lines = readFileSync(home.startsLog, "utf8").split("\n").slice(0, -1);
  return lines.map((line): Note => JSON.parse(line));
}

const notesOf = (home: Home, kind: "start" | "prompt") => notes(home).filter((note) => note.kind === kind);

/** How many processes have started. */
export const startsOf = (home: Home) => notesOf(home, "start").length;
/** Which process was asked what. `/clear` is none of our prompts. */
export const asked = (home: Home) => notesOf(home, "prompt").filter(({ prompt }) => prompt !== "/clear");
/** The process of each prompt, in order. */
export const processesOf = (home: Home) => asked(home).map(({ pid }) => pid);
