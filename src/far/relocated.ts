// Paths of this machine in what goes to another one, as they are there.

/** A folder here, and the same there. Absolute. */
export interface Relocation {
  here: string;
  there: string;
}

/** A text with the folders in it, and what is below them, as they are there. */
export function relocated(text: string, relocations: readonly Relocation[]): string {
  return relocations.reduce((before, { here, there }) => {
    // The root of a disk would be found in any text.
    if (here.length < 3 || !before.includes(here)) return before;
    const path = new RegExp(`(?<![\\w.-])${RegExp.escape(here)}((?:[\\\\/][^\\s"'\`),;]*)?)(?![\\w.-])`, "g");
    const below = (tail: string) => (here.includes("\\") ? tail.replaceAll("\\", "/") : tail);
    return before.replace(path, (_, tail: string) => there + below(tail));
  }, text);
}

/** A line of JSON with the same in each of its texts. */
export function relocatedLine(line: string, relocations: readonly Relocation[]): string {
  if (relocations.length === 0 || line === "") return line;
  const end = line.endsWith("\n") ? "\n" : "";
  const value: unknown = JSON.parse(line, (_, one: unknown) =>
    typeof one === "string" ? relocated(one, relocations) : one,
  );
  return JSON.stringify(value) + end;
}
