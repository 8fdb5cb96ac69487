// Notifies clients of new and changed batches. Both eras: until 2025-11-25 about what the client has subscribed to, since
// 2026-07-28 on its `subscriptions/listen` stream, which the SDK filters by the client's request.
import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { batchUri, taskUri, transcriptUri } from "../../operations/batch-uri.ts";
import { Changes } from "../../operations/changes.ts";
import type { Context } from "../../operations/context.ts";
import { clock } from "../../platform/clock.ts";
import { anyParams, paramsOf } from "./plain-errors.ts";

/** Where changes are announced. */
export interface Listener {
  listChanged(): void;
  updated(uri: string): void;
}

/**
 * Looks once a second, until the signal is aborted: more would announce every step. Takes some microseconds once a call has
 * opened the store, and nothing before.
 */
export function watchBatches(context: Context, listener: Listener, signal: AbortSignal): void {
  const changes = new Changes(context);
  const look = () => {
    for (const { batchId, isNew, tasks } of changes.next()) {
      if (isNew) listener.listChanged();
      listener.updated(batchUri(batchId));
      for (const task of tasks) {
        listener.updated(taskUri(batchId, task));
        listener.updated(transcriptUri(batchId, task));
      }
    }
  };
  const ticking = clock.on(
    "second",
    () => {
      try {
        look();
      } catch (error) {
        // The store is busy or has gone: the next look will show, and nobody waits for this one.
        console.error(error);
      }
    },
    { keepsAlive: false },
  );
  signal.addEventListener("abort", () => ticking[Symbol.dispose](), { once: true });
}

/** Handles subscriptions of the older era, and returns the listener of this connection. */
export function serveSubscriptions(server: McpServer, era: "legacy" | "modern"): Listener {
  const subscribed = new Set<string>();
  if (era === "legacy") {
    const about = z.object({ uri: z.string() });
    server.server.setRequestHandler("resources/subscribe", { params: anyParams }, (params) => {
      subscribed.add(paramsOf(about, params).uri);
      return {};
    });
    server.server.setRequestHandler("resources/unsubscribe", { params: anyParams }, (params) => {
      subscribed.delete(paramsOf(about, params).uri);
      return {};
    });
  }
  const tell = (sending: Promise<void>) => {
    // A client that has gone is noticed by the end of input.
    sending.catch(() => undefined);
  };
  return {
    listChanged: () => tell(server.server.sendResourceListChanged()),
    updated: (uri) => {
      if (era === "modern" || subscribed.has(uri)) tell(server.server.sendResourceUpdated({ uri }));
    },
  };
}
