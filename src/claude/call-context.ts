// What decides about a call of a tool besides the call itself.
import type { SessionOptions } from "../model/options.ts";

/** The options of a session that decide what its tools may do, as they were given. */
export type GivenOptions = Pick<
  SessionOptions,
  "allowedTools" | "disallowedTools" | "tools" | "addDirectories" | "permissionMode"
>;

/** Where a denied call was made, and what is known of its denial. */
export interface CallContext {
  given: GivenOptions;
  /** The session's own directory; absolute. */
  workingDirectory: string;
  /** The mode that the session was in, which the user's settings may have chosen. */
  mode: string;
  /** The tool result that Claude received instead; empty if unknown. */
  message: string;
  /** Whether a hook decided. */
  byHook: boolean;
}

/** The directories in which a session may read, and write by `acceptEdits`. */
export function allowedDirectories({ given, workingDirectory }: CallContext): string[] {
  return [workingDirectory, ...(given.addDirectories ?? [])];
}
