// The environment of a process. On Windows, names that differ only in case name the same variable.

/** The environment of a process: variables by name. */
export type Environment = Record<string, string | undefined>;

/** Several environments as one, in which later ones win. On Windows, each variable once, and `Path` as `PATH`. */
export function joined(
  environments: readonly Environment[],
  platform = process.platform,
): Record<string, string> {
  const all: Record<string, string> = {};
  const spelled = new Map<string, string>();
  for (const [name, value] of environments.flatMap((one) => Object.entries(one))) {
    if (value === undefined) continue;
    const key = variableKey(name, platform);
    const known = spelled.get(key) ?? (key === "PATH" ? key : name);
    spelled.set(key, known);
    all[known] = value;
  }
  return all;
}

/** The same for all spellings of a variable's name. */
export function variableKey(name: string, platform = process.platform): string {
  return platform === "win32" ? name.toUpperCase() : name;
}
