// Every operation, declared once: an MCP tool and a command are two faces of it.
import type { z } from "zod";
import type { BatchId } from "../model/batch-id.ts";
import type { SpanContext } from "../model/trace.ts";
import type { ProcessIdentity } from "../platform/process-identity.ts";
import type { ClientLimits } from "./client-limits.ts";
import type { Context } from "./context.ts";

/** The reason of an aborted call if the client itself has gone: nobody will read the answer. */
export class ClientEnded extends Error {
  constructor() {
    super("The client has ended.");
  }
}

/** The reason of an aborted call if only the connection broke: the client may still want the work. */
export class ConnectionLost extends Error {
  constructor() {
    super("The connection was lost.");
  }
}

/** What a batch notes of who started it. */
export interface Caller {
  /** The client's name for itself. */
  client?: string | undefined;
  /** The span that the call is a part of, if the client says so. */
  within?: SpanContext | undefined;
}

/** A call in progress, as its door sees it. */
export interface Call extends Caller {
  /** Ends the waiting; its reason says why. */
  signal: AbortSignal;
  /** When it came, on the monotonic clock, in milliseconds. */
  startedAt: number;
  /** The limits of the client; undefined on the command line, which has none. */
  limits?: ClientLimits;
  /** This process, if the batch is to end with it, as before: it shows the batch, and a key in it made the call. */
  leash?: ProcessIdentity;
  /** Reports progress to the client. `total`, if known. */
  progress(done: number, total: number, message: string): void;
}

export interface Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  title: string;
  /** What it does. */
  description: string;
  input: Input;
  /** Plain data: what `--json` prints, and what tools answer. */
  output: Output;
  /**
   * Throws `UserError` for what the caller can fix. Takes raw input, because defaults are filled in only after merging.
   */
  run(context: Context, input: unknown, call: Call): Promise<z.output<Output>>;
}

/** An operation that is also an MCP tool. */
export interface Tool<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType>
  extends Operation<Input, Output> {
  name: string;
  /** When to use it, in a sentence: the first thing that a model reads when choosing a tool. */
  when: string;
  annotations: {
    readOnlyHint: boolean;
    destructiveHint: boolean;
    idempotentHint: boolean;
    openWorldHint: boolean;
  };
  /**
   * Starts the same work as a batch without a waiting call, and returns the batch. Undefined if the caller wants an
   * immediate answer anyway. Absent if the operation starts none.
   */
  start?(context: Context, input: unknown, caller: Caller): Promise<BatchId | undefined>;
}

/** Annotations of a tool that only reads. */
export const readsOnly: Tool["annotations"] = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
