// The commands that GitHub Actions reads from the log of a step: how to give one, and how to keep foreign text from being
// one. Its runner takes a line for a command that begins with `::`, after blanks, and one that has `##[` anywhere.

/** Whether this process runs in a workflow of GitHub. */
export function isGithubActions(environment: Record<string, string | undefined> = process.env): boolean {
  return environment["GITHUB_ACTIONS"] === "true";
}

/** The same text, with a blank where a command would begin. Its lines end in `\n`. */
export function withoutCommands(text: string): string {
  // Blanks end with their line: over many blank lines, each would look at all that follow.
  const begin = /(^|[\n\r\u2028\u2029])([^\S\n\r\u2028\u2029]*):(?=:)/g;
  return text.replaceAll(begin, "$1$2: ").replaceAll("##[", "## [");
}

/** JSON without the second mark, and with the same value: it can only be within a text. No line of JSON begins with the first. */
export function commandlessJson(json: string): string {
  return json.includes("##[") ? json.replaceAll("##[", "#\\u0023[") : json;
}

/** What an annotation is about. */
interface Annotation {
  kind: "error" | "warning";
  title: string;
  /** Relative to the repository. */
  file?: string | undefined;
  message: string;
}

/** A line that makes an annotation. */
export function annotationLine({ kind, title, file, message }: Annotation): string {
  const properties = [...(file === undefined ? [] : [`file=${property(file)}`]), `title=${property(title)}`];
  return `::${kind} ${properties.join(",")}::${data(message)}`;
}

function data(text: string): string {
  return text
    .replaceAll("##[", "## [")
    .replaceAll("%", "%25")
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
