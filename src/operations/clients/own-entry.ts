// Which entries of a client's configuration are ours: those that start this program, whatever their name.
import { product } from "../../model/product.ts";
import { lastingCommand } from "../../platform/self.ts";
import { wordsOf } from "./entry-shape.ts";

/** The usual name of our entry. */
export const defaultName = "claude-code";
/** Used if another server has that name: Anthropic's documentation gives it to `claude mcp serve`. */
export const otherDefaultName = product.name.replace(/-mcp$/, "");

type Entry = Record<string, unknown>;

const ownNames: readonly string[] = [product.name, ...product.otherNames];

/** Programs that run a package or a script by its name, and their options. */
const packageRunners = new Set(["npx", "bunx", "pnpx"]);
const runnersWithWord = new Map([
  ["npm", ["exec", "x"]],
  ["pnpm", ["dlx", "exec"]],
  ["yarn", ["dlx", "exec"]],
  ["bun", ["x"]],
]);
const scriptRunners = new Set(["bun", "node", "deno"]);

/**
 * Whether an entry starts this program: by one of its names, in any way, in our own way, or with exactly these words.
 */
export function startsUs(entry: Entry, words: readonly string[] = []): boolean {
  const written = wordsOf(entry);
  // From source, the program has none of our names.
  const known = [words, lastingCommand(product.name)].filter(({ length }) => length > 0);
  return known.some((one) => Bun.deepEquals(written, [...one])) || isOurProgram(written);
}

/** What an entry starts, for display. Hides what follows an option, which may be a secret. */
export function commandText(entry: Record<string, unknown>): string {
  const [command, ...args] = wordsOf(entry);
  const secret = args.findIndex((word) => (word.startsWith("-") && word !== "-y") || word.includes("="));
  if (command !== undefined)
    return [command, ...args.slice(0, secret < 0 ? 3 : Math.min(secret, 3))].join(" ");
  return typeof entry["url"] === "string" ? "a server at a URL" : "of an unknown kind";
}

function isOurProgram([command = "", ...args]: readonly string[]): boolean {
  const program = fileName(command);
  if (isOurName(program)) return true;
  const [first = "", ...others] = args;
  // On Windows, batch files need a shell.
  if (program === "cmd" && first.toLowerCase() === "/c") return isOurProgram(others);
  if (packageRunners.has(program)) return isOurPackage(args);
  if (runnersWithWord.get(program)?.includes(first)) return isOurPackage(others);
  if (!scriptRunners.has(program)) return false;
  const script = args.find((word) => !word.startsWith("-") && word !== "run");
  return script?.split(/[\\/]/).some(isOurName) ?? false;
}

function isOurPackage(args: readonly string[]): boolean {
  const named = args.flatMap((word, index) => {
    if (word === "-p" || word === "--package") return args[index + 1] ?? [];
    return word.startsWith("--package=") ? word.slice("--package=".length) : [];
  });
  const [first] = named.length > 0 ? named : args.filter((word) => !word.startsWith("-"));
  // With a version, or from a repository: `name@1.2.3`, `github:owner/name#main`.
  return first !== undefined && isOurName(fileName(first.replace(/(?<=.)[@#].*$/, "")));
}

function fileName(path: string): string {
  const last = path.split(/[\\/]/).at(-1) ?? "";
  return last.toLowerCase().replace(/\.(exe|cmd|bat|ps1)$/, "");
}

// Executables and packages for one system append its name to ours.
function isOurName(name: string): boolean {
  return ownNames.some(
    (own) => name === own || new RegExp(`^${own}-(linux|darwin|windows|win32)\\b`).test(name),
  );
}
