/** A file that cannot be understood, so that nothing is changed in it. The message says where the fault is. */
export class Unreadable extends Error {}
