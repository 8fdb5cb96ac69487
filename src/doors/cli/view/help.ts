// The output of `help`, for all commands and for one.
import { product } from "../../../model/product.ts";
import type { DescribedCommand, Example, Positional } from "../input/command.ts";
import { wrap } from "../terminal/wrapped.ts";
import { helpLines, twoColumns } from "./flag-help.ts";

/** `run [TASK…] [options]`. */
export function usageOf(command: Pick<DescribedCommand, "name" | "positionals">): string {
  return [product.name, command.name, ...command.positionals.map(written), "[options]"].join(" ");
}

/** All commands. */
export function overview(commands: readonly DescribedCommand[], width: number): string {
  const entries = [
    ...commands.map((command) => [
      [command.name, ...command.positionals.map(written)].join(" "),
      command.summary,
    ]),
    ["help [COMMAND]", "Show the options of a command"],
  ];
  return [
    `${product.name} ${product.version}`,
    "",
    ...wrap("Runs headless Claude Code sessions in parallel: an MCP server, and a command line.", width),
    "",
    `Usage: ${product.name} COMMAND [options]`,
    "",
    ...entries.flatMap(([left = "", right = ""]) => twoColumns(left, `${right}.`, width)),
    "",
    ...wrap(
      `\`${product.name} help run\` shows the options of \`run\`. \`--version\` prints the version.`,
      width,
    ),
  ].join("\n");
}

/** One command. */
export function commandHelp(command: DescribedCommand, width: number): string {
  return [
    ...wrap(`Usage: ${usageOf(command)}`, width),
    "",
    ...wrap(command.description, width),
    ...section(
      "Arguments",
      command.positionals.flatMap((one) => twoColumns(written(one), one.description, width)),
    ),
    ...section(
      "Examples",
      command.examples.flatMap((example) => exampleLines(example, width)),
    ),
    ...section("Options", [
      ...helpLines(command.flags, width),
      ...twoColumns("-h, --help", "Show this help.", width),
    ]),
  ].join("\n");
}

// A line to copy must stay whole, however narrow the terminal.
function exampleLines([line, meaning]: Example, width: number): string[] {
  const whole = line.includes(product.name) ? line : `${product.name} ${line}`;
  const words = meaning.endsWith("?") ? meaning : `${meaning}:`;
  return [...wrap(words, width - 2).map((one) => `  ${one}`), `      ${whole}`];
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines];
}

function written({ placeholder, required, many }: Positional): string {
  const name = `${placeholder}${many ? "…" : ""}`;
  return required ? name : `[${name}]`;
}
