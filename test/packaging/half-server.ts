// A server whose downloads break off.

/** A place to download from that sends the beginning of an archive, and then nothing, or ends. */
export class HalfServer implements Disposable {
  readonly #server;
  readonly #sums: string;
  /** Settles once the beginning of the archive is sent. */
  readonly sent = Promise.withResolvers<void>();
  /** Settles once nobody listens for the rest of it any more. */
  readonly left = Promise.withResolvers<void>();

  constructor({ sums, after }: { sums: string; after: "wait" | "end" }) {
    this.#sums = sums;
    this.#server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data: (socket, request) => {
          if (request.toString().includes("/SHA256SUMS")) {
            socket.end(
              `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${this.#sums.length}\r\n\r\n${this.#sums}`,
            );
            return;
          }
          socket.data = true;
          socket.write(
            `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`,
          );
          this.sent.resolve();
          if (after === "end") socket.end();
        },
        close: (socket) => {
          if (socket.data === true) this.left.resolve();
        },
      },
      data: false,
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  [Symbol.dispose](): void {
    this.#server.stop(true);
  }
}
