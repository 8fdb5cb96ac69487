// What can be asked for, each once: an MCP tool and a command are two faces of one operation.
import type { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import type { ClientLimits } from "./clients.ts";
import type { Context } from "./context.ts";

/** Why a call's signal was aborted, when the client itself has gone: nobody will ever read the answer. */
export class ClientEnded extends Error {
  constructor() {
    super("The client has ended.");
  }
}

/** Why a call's signal was aborted, when only the connection broke: the client may still want the work. */
export class ConnectionLost extends Error {
  constructor() {
    super("The connection was lost.");
  }
}

/** A call in progress, as its door sees it. */
export interface Call {
  /** Ends the waiting; its reason says why. */
  signal: AbortSignal;
  /** When it came, by the monotonic clock, in milliseconds. */
  startedAt: number;
  /** What the client calls itself. */
  client?: string | undefined;
  /** The limits of the client; nothing on the command line, which has none. */
  limits?: ClientLimits;
  /** Tells the client how far it is. `total` where it is known. */
  progress(done: number, total: number, message: string): void;
}

export interface Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** The tool's name. */
  name: string;
  title: string;
  /** What it does. */
  description: string;
  input: Input;
  output: Output;
  annotations: {
    readOnlyHint: boolean;
    destructiveHint: boolean;
    idempotentHint: boolean;
    openWorldHint: boolean;
  };
  /** Throws `UserError` for what the caller can fix. Takes raw input: defaults are filled in only after merging. */
  run(context: Context, input: unknown, call: Call): Promise<z.output<Output>>;
  /**
   * Starts the same work as a batch for which no call waits, and gives the batch. Nothing where the caller wants to
   * be answered at once anyway, and of operations that start none.
   */
  start?(context: Context, input: unknown, client?: string): Promise<BatchId | undefined>;
}

/** An operation that is an MCP tool too. */
export interface Tool<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType>
  extends Operation<Input, Output> {
  /** When to use it, in a sentence: a model that chooses among tools reads it first. */
  when: string;
}
