// The group of processes that a session leads. Linux and macOS make it at the start, Windows when we ask for it.
import { processes } from "./processes/of-system.ts";

/** Call right after the start of a session, before it can have started anything. */
export function gatherSession(marker: string, leader: number): void {
  processes().jobs?.gather(marker, leader);
}

/** Call for a session that another process of ours started. */
export function gatherSessionAgain(marker: string, leader: number): void {
  processes().jobs?.gatherAgain(marker, leader);
}

/** Call once a session has ended, with everything that it started. */
export function releaseSession(marker: string): void {
  processes().jobs?.release(marker);
}
