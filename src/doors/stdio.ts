// MCP messages over standard input and output, a line each. Unlike the SDK's own transport, this one answers
// what was asked before the end of input, and only then closes.
import { isJSONRPCRequest, type JSONRPCMessage, type Transport } from "@modelcontextprotocol/server";

/** Longest message, in bytes. */
const longestMessage = 10 * 1024 * 1024;
/** How long after the end of input an answer may take. */
const drainMs = 1_500;

export class StdioTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly #inputEnded: () => void;
  readonly #output = Bun.stdout.writer();
  /** Requests without an answer yet. */
  readonly #open = new Set<string | number>();
  #drained = Promise.withResolvers<void>();
  #closed = false;

  /** `inputEnded` is called when no more requests can come: calls that wait for something should not. */
  constructor(inputEnded: () => void) {
    this.#inputEnded = inputEnded;
  }

  async start(): Promise<void> {
    void this.#read();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if ("id" in message && !("method" in message) && message.id !== undefined) this.#open.delete(message.id);
    try {
      this.#output.write(`${JSON.stringify(message)}\n`);
      await this.#output.flush();
    } catch (error) {
      // The reader has gone: as good as the end of input.
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
    try {
      let pieces: Uint8Array[] = [];
      let length = 0;
      for await (const piece of Bun.stdin.stream()) {
        let begin = 0;
        for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, begin)) {
          pieces.push(piece.subarray(begin, end));
          if (length + end - begin <= longestMessage) this.#take(Buffer.concat(pieces).toString());
          else await this.#refuse(-32700, "The message is longer than 10 MB.");
          pieces = [];
          length = 0;
          begin = end + 1;
        }
        length += piece.length - begin;
        // Of a message that is too long, nothing is kept but its length.
        if (length <= longestMessage) pieces.push(piece.slice(begin));
        else pieces = [];
      }
      this.#take(Buffer.concat(pieces).toString());
    } catch (error) {
      this.onerror?.(asError(error));
    }
    await this.#drain();
    await this.close();
  }

  #take(line: string): void {
    if (line.trim() === "") return;
    let message: unknown;
    try {
      message = JSON.parse(line);
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
          message,
        );
        return;
      }
      this.#open.add(message.id);
    }
    this.onmessage?.(message);
  }

  #refuse(code: number, message: string, request: object = {}): Promise<void> {
    const id: unknown = Reflect.get(request, "id");
    const known = typeof id === "string" || typeof id === "number" ? { id } : {};
    return this.send({ jsonrpc: "2.0", ...known, error: { code, message } });
  }

  async #drain(): Promise<void> {
    this.#inputEnded();
    if (this.#open.size === 0) return;
    // Earlier answers have left the old promise fulfilled: only what is open now counts.
    this.#drained = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.#drained.resolve(), drainMs);
    await this.#drained.promise;
    clearTimeout(timer);
  }
}

function isMessage(value: unknown): value is JSONRPCMessage {
  return typeof value === "object" && value !== null && "jsonrpc" in value && value.jsonrpc === "2.0";
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
