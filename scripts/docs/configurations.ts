// What the configuration of each client looks like once `install` has written it: by the code that writes it.
import { withEntry } from "../../src/operations/clients/change.ts";
import { clientOf, filesOf, type McpClient } from "../../src/operations/clients/client-files.ts";
import { clientNames } from "../../src/operations/clients/client-names.ts";
import { defaultName } from "../../src/operations/clients/own-entry.ts";
import { homeDirectory } from "../../src/platform/paths.ts";
import { release } from "../release/release.ts";

const entry = { command: `/path/to/${release.name}`, args: [], env: {} };

/** The files of each client on each system, and the text of each, the same texts once. */
export const configurations: string[] = [
  "| client | macOS | Linux | Windows |",
  "| --- | --- | --- | --- |",
  ...clientNames.map((name) => `| ${clientOf(name).title} | ${placesOf(name).join(" | ")} |`),
  ...[...texts()].flatMap(([text, { titles, format }]) => [
    "",
    `${listOf(titles)}:`,
    "",
    `\`\`\`${format === "toml" ? "toml" : "json"}`,
    text.trimEnd(),
    "```",
  ]),
];

function texts(): Map<string, { titles: string[]; format: McpClient["format"] }> {
  const found = new Map<string, { titles: string[]; format: McpClient["format"] }>();
  for (const name of clientNames) {
    const client = clientOf(name);
    const text = withEntry(client, "", defaultName, entry);
    const titles = [...(found.get(text)?.titles ?? []), client.title];
    found.set(text, { titles, format: client.format });
  }
  return found;
}

function placesOf(name: (typeof clientNames)[number]): string[] {
  const short = (path: string) =>
    path.replaceAll("\\", "/").replace(homeDirectory().replaceAll("\\", "/"), "~");
  const windows = short(filesOf("win32", { APPDATA: "%APPDATA%" })[name]);
  return [
    short(filesOf("darwin", {})[name]),
    short(filesOf("linux", {})[name]),
    windows.replace(/^~/, "%USERPROFILE%").replaceAll("/", "\\"),
  ].map((path) => `\`${path}\``);
}

function listOf(titles: readonly string[]): string {
  const [last = "", ...others] = titles.toReversed();
  return others.length === 0 ? last : `${others.reverse().join(", ")} and ${last}`;
}
