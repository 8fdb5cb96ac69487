// The name of a hidden command, apart from what it needs.

/** Writes what another command prints to a file, and sets variables: Task Scheduler has no place for either. */
export const loggedCommand = "__logged";
