// Options as they were written: only what was written is kept, for parsing fills in defaults.

export type RawOptions = Record<string, unknown>;

/** Those of these names. */
export function pick(options: RawOptions, names: readonly string[]): RawOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

/** What was written, where it is an object. */
export function rawObject(value: unknown): RawOptions {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
