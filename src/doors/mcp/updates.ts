// Notifies clients of new and changed batches. Both eras: until 2025-11-25 about what the client has subscribed to, since
// 2026-07-28 on its `subscriptions/listen` stream, which the SDK filters by the client's request.
import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ContextAtFirstUse } from "./context-at-first-use.ts";
import { anyParams, paramsOf } from "./plain-errors.ts";

/** Where changes are announced. */
export interface Listener {
  listChanged(): void;
  updated(uri: string): void;
}

/** Announces what changes from now on, until the signal is aborted. Looks for it only once a request needs the store. */
export function announceChanges(context: ContextAtFirstUse, listener: Listener, signal: AbortSignal): void {
  const since = Date.now();
  const announce = async () => {
    const made = await context.made;
    const { watchBatches } = await import("./watch-batches.ts");
    if (!signal.aborted) watchBatches(made, { since, listener, signal });
  };
  // Without announcements, clients still get what they ask for.
  announce().catch(() => undefined);
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
