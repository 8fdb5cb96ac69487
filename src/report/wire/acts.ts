// What somebody can do to a batch from its page, where `ui` serves it.

/** In the order of their buttons. */
export const acts = ["pause", "go-on", "change", "retry", "cancel"] as const;
export type Act = (typeof acts)[number];

/** What a request to do something answers. */
export type Acted = { message: string } | { error: string };

/** The header with the key of the page. */
export const keyHeader = "x-page-key";

/** The id of the dialog in which an act gets its details; two acts need none. */
export function dialogId(act: Act): string {
  return `dialog-${act}`;
}

/** In the fragment of an address, before the names of fields: opens the dialog of this act with them. */
export const asks = { retry: "retry-" } as const;

/** Where the details of an act stand in its dialog, by the names of their fields. */
export const fields = {
  cancel: ["tasks"],
  change: ["concurrency", "batchBudgetUsd"],
  retry: ["tasks", "model", "maxTurns", "timeoutSeconds", "maxBudgetUsd", "batchBudgetUsd"],
} as const satisfies Partial<Record<Act, readonly string[]>>;
export type FieldName = (typeof fields)[keyof typeof fields][number];
