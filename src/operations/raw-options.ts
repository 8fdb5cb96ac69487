// Options as written, without defaults, which parsing would fill in.

export type RawOptions = Record<string, unknown>;

/** Only these options. */
export function pick(options: RawOptions, names: readonly string[]): RawOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}

/** What was written, if it is an object. */
export function rawObject(value: unknown): RawOptions {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
