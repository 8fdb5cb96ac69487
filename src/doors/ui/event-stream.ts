// Changes as server-sent events, which a browser asks for again by itself when the connection is lost.
import type { Follower, Sent } from "../../operations/ui/watch.ts";

/** After how long a browser asks again, in milliseconds. */
const againMs = 1_000;
/** One that takes no more than this has gone to sleep, in bytes: when it wakes, it asks again for what it has missed. */
const mostWaiting = 16 * 1024 * 1024;

const encoder = new TextEncoder();
/** Each is encoded once, for all who follow. */
const encoded = new WeakMap<Sent, Uint8Array>();

/** What `follow` sends, until the browser goes or nothing more comes. */
export function eventStream(
  follow: (follower: Follower) => Disposable,
  streams: Set<Disposable>,
): ReadableStream<Uint8Array> {
  let stream: Disposable | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        let following: Disposable | undefined;
        const ending = {
          [Symbol.dispose]: () => {
            if (!streams.delete(ending)) return;
            following?.[Symbol.dispose]();
            close(controller);
          },
        };
        stream = ending;
        streams.add(ending);
        controller.enqueue(encoder.encode(`retry: ${againMs}\n\n`));
        try {
          following = follow({
            hear: (sent) => {
              controller.enqueue(bytesOf(sent));
              if ((controller.desiredSize ?? 0) < 0) ending[Symbol.dispose]();
            },
            gone: () => ending[Symbol.dispose](),
          });
        } catch (error) {
          // It cannot be read any more, and there is no stream.
          streams.delete(ending);
          throw error;
        }
        // The first change may have been too much already.
        if (!streams.has(ending)) following[Symbol.dispose]();
      },
      cancel: () => stream?.[Symbol.dispose](),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: mostWaiting }),
  );
}

function bytesOf(sent: Sent): Uint8Array {
  const known = encoded.get(sent);
  if (known) return known;
  const bytes = encoder.encode(`id: ${sent.mark}\ndata: ${sent.data}\n\n`);
  encoded.set(sent, bytes);
  return bytes;
}

function close(controller: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    controller.close();
  } catch {
    // The browser has closed it.
  }
}
