// Functions of a page that the files beside it call, through `window`.
import type { PageCalls } from "../wire/feed.ts";

declare global {
  interface Window extends PageCalls {}
}

/** Handles a call from now on. */
export function answer<Name extends keyof PageCalls>(name: Name, call: PageCalls[Name]): void {
  Object.assign(window, { [name]: call });
}
