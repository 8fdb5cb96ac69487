// What decides about a tool call besides the call itself.
import type { SessionOptions } from "../model/options.ts";

/** Options that decide what a session's tools may do, as given. */
export type GivenOptions = Pick<
  SessionOptions,
  "allowedTools" | "disallowedTools" | "tools" | "addDirectories" | "permissionMode"
>;

/** Where a denied call was made, and what is known about its denial. */
export interface CallContext {
  given: GivenOptions;
  /** The session's own directory; absolute. */
  workingDirectory: string;
  /** The permission mode of the session, possibly chosen by the user's settings. */
  mode: string;
  /** The tool result that Claude received instead; empty if unknown. */
  message: string;
  /** Whether a hook decided. */
  byHook: boolean;
}

/** The directories in which a session may read, and write with `acceptEdits`. */
export function allowedDirectories({ given, workingDirectory }: CallContext): string[] {
  return [workingDirectory, ...(given.addDirectories ?? [])];
}
