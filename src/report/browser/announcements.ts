// A few words for a screen reader: the end, a hold, new failures; the latter at most four times a minute.
import { numberText } from "../amounts.ts";
import type { LiveChange } from "../wire/feed.ts";
import { ids } from "../wire/marks.ts";
import { byId, put } from "./elements.ts";

const betweenFailuresMs = 15_000;

let hold = "";
let failures: { failed: number; at: number } | undefined;

export function say(words: string): void {
  put(byId(ids.said, HTMLElement), words);
}

/** Announces what matters in an update. */
export function sayNews(update: LiveChange, wasRunning: boolean): void {
  failures ??= { failed: update.failed, at: 0 };
  const more = update.failed - failures.failed;
  const now = Date.now();
  if (update.running !== wasRunning) say(update.words);
  else if (update.hold !== hold) say(update.held || "The hold is over.");
  else if (more > 0 && now - failures.at > betweenFailuresMs) {
    say(`${numberText(more)} more failed. ${update.words}`);
    failures = { failed: update.failed, at: now };
  }
  hold = update.hold;
}
