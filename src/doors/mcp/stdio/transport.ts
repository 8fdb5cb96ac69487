// MCP messages over standard input and output, one on each line. Unlike the SDK's own transport, answers all requests
// received before the end of input, and only then closes.
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  type JSONRPCMessage,
  type Transport,
} from "@modelcontextprotocol/server";
import { type Line, LineCutter } from "../../../claude/lines.ts";
import { writeAll } from "../../../platform/output.ts";
import { callAsMeant } from "../call-as-meant.ts";
import { idInEnds } from "./message-id.ts";

/** Longest message, in bytes. */
const longestMessage = 10 * 1024 * 1024;
/** How long an answer may take after the end of input, in milliseconds. */
const usualDrainMs = 1_500;
/** A request that is answered only when its stream ends: not waited for at the end of input. */
const streamMethod = "subscriptions/listen";

/** Where messages come from and go to, and how long answers may take at the end. */
export interface Wires {
  input: AsyncIterable<Uint8Array>;
  output: { write(text: string): unknown; flush(): unknown };
  drainMs: number;
}

const standardWires = (): Wires => ({
  input: Bun.stdin.stream(),
  output: standardOutput(),
  drainMs: usualDrainMs,
});

// Messages are written whole, one after another.
function standardOutput(): Wires["output"] {
  let sending = Promise.resolve();
  return {
    write: (text) => {
      sending = sending.then(() => writeAll(1, Buffer.from(text)));
    },
    flush: () => sending,
  };
}

export class StdioTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly #inputEnded: () => void;
  readonly #wires: Wires;
  /** Unanswered requests that will be answered. */
  readonly #open = new Set<string | number>();
  #drained = Promise.withResolvers<void>();
  #closed = false;

  /** `inputEnded` is called when no more requests can come: calls should stop waiting. */
  constructor(inputEnded: () => void, wires: Wires = standardWires()) {
    this.#inputEnded = inputEnded;
    this.#wires = wires;
  }

  async start(): Promise<void> {
    void this.#read();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if ("id" in message && !("method" in message) && message.id !== undefined) this.#open.delete(message.id);
    const { output } = this.#wires;
    try {
      output.write(`${JSON.stringify(message)}\n`);
      await output.flush();
    } catch (error) {
      // The reader has gone, which counts as the end of input.
      this.onerror?.(asError(error));
      await this.close();
    }
    if (this.#open.size === 0) this.#drained.resolve();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.onclose?.();
  }

  async #read(): Promise<void> {
    const cutter = new LineCutter({ longest: longestMessage });
    try {
      for await (const piece of this.#wires.input) for (const line of cutter.push(piece)) this.#take(line);
      const last = cutter.end();
      if (last) this.#take(last);
    } catch (error) {
      this.onerror?.(asError(error));
    }
    await this.#drain();
    await this.close();
  }

  #take(line: Line): void {
    if (line.kind === "oversized") {
      void this.#refuse(-32700, "The message is longer than 10 MB.", idInEnds(line));
      return;
    }
    if (line.text.trim() === "") return;
    let message: unknown;
    try {
      message = callAsMeant(JSON.parse(line.text));
    } catch {
      void this.#refuse(-32700, "Parse error: the line is not JSON.");
      return;
    }
    if (!isMessage(message)) {
      void this.#refuse(-32600, "Invalid request: not a JSON-RPC 2.0 message.");
      return;
    }
    if ("id" in message && "method" in message) {
      // The SDK drops what it cannot classify, and the client would wait for ever.
      if (!isJSONRPCRequest(message)) {
        void this.#refuse(
          -32600,
          "Invalid request: `method` must be a string, `params` and its `_meta` objects.",
          idOf(message),
        );
        return;
      }
      if (message.method !== streamMethod) this.#open.add(message.id);
    }
    // The SDK does not answer cancelled requests.
    const cancelled = cancelledBy(message);
    if (cancelled !== undefined) this.#open.delete(cancelled);
    this.onmessage?.(message);
  }

  #refuse(code: number, message: string, id?: string | number): Promise<void> {
    return this.send({ jsonrpc: "2.0", ...(id === undefined ? {} : { id }), error: { code, message } });
  }

  async #drain(): Promise<void> {
    this.#inputEnded();
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#wires.drainMs);
    if (this.#open.size > 0) {
      // Earlier answers may have resolved the old promise, but only open requests count now.
      this.#drained = Promise.withResolvers<void>();
      await Promise.race([this.#drained.promise, patience]);
    }
    // Waits until everything is written, unless the reader has gone.
    await Promise.race([Promise.resolve(this.#wires.output.flush()).catch(() => undefined), patience]);
    clearTimeout(timer);
  }
}

function isMessage(value: unknown): value is JSONRPCMessage {
  return typeof value === "object" && value !== null && "jsonrpc" in value && value.jsonrpc === "2.0";
}

/** The request that a message cancels. */
function cancelledBy(message: JSONRPCMessage): string | number | undefined {
  if (!isJSONRPCNotification(message) || message.method !== "notifications/cancelled") return undefined;
  return asId(message.params?.["requestId"]);
}

function idOf(message: object): string | number | undefined {
  return asId(Reflect.get(message, "id"));
}

function asId(id: unknown): string | number | undefined {
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
