/** The environment of a process: variables by name. */
export type Environment = Record<string, string | undefined>;
