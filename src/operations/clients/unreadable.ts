/** A file that cannot be parsed, so nothing in it is changed. The message names the place of the fault. */
export class Unreadable extends Error {}
