// `install` and `uninstall`: add this program to the configuration of a client, and remove it again.
import { z } from "zod";
import { type ClientChange, changeClient } from "../../../operations/clients/apply-change.ts";
import { clientOf } from "../../../operations/clients/client-files.ts";
import { type Change, planInstall, planUninstall } from "../../../operations/clients/install.ts";
import { installInput, uninstallInput } from "../../../operations/clients/install-input.ts";
import { defaultName } from "../../../operations/clients/own-entry.ts";
import { type ClientStanding, standings } from "../../../operations/clients/standings.ts";
import { harmless } from "../../../report/harmless.ts";
import { type Command, checkUsage, type Invocation, jsonText, UsageError } from "../input/command.ts";
import { table } from "../terminal/table.ts";
import type { Printer, Terminal } from "../terminal/terminal.ts";

const own = z.object({
  yes: z.boolean().meta({ description: "Do not ask for confirmation.", short: "y" }).optional(),
  dryRun: z.boolean().meta({ description: "Only show what would change." }).optional(),
  json: z
    .boolean()
    .meta({ description: "Print the result as JSON. Changes the file only with --yes." })
    .optional(),
});

const says =
  "Shows the change and asks before making it. Keeps comments, order and other servers, and does not touch a file that it cannot parse. Keeps the last two copies of the old file beside it: like the file itself, they may hold account data and the keys of other servers.";

export const install: Command = {
  name: "install",
  otherNames: ["setup"],
  summary: "Add this program to the configuration of a client",
  description: `Adds this program as a server to the configuration of an MCP client. ${says} Without --client, it lists all supported clients and their state.`,
  examples: [
    ["install", "List all supported clients and their state"],
    ["install --client claude-desktop", "Show the change and ask"],
    ["install --client codex --env ANTHROPIC_API_KEY=… --yes", "Set a variable, and do not ask"],
  ],
  input: installInput,
  withoutFlags: [],
  own,
  positionals: [],
  run: async (asked) => {
    const { client, ...others } = checkUsage(installInput, asked.input);
    if (client === undefined) return list(asked, "install", others.name);
    return change(asked, planInstall(asked.context, { client, ...others }));
  },
};

export const uninstall: Command = {
  name: "uninstall",
  summary: "Remove this program from the configuration of a client",
  description: `Removes the server from the configuration of an MCP client. ${says} Without --client, it lists all supported clients and their state.`,
  examples: [["uninstall --client claude-desktop", "Show the change and ask"]],
  input: uninstallInput,
  withoutFlags: [],
  own,
  positionals: [],
  run: async (asked) => {
    const { client, ...others } = checkUsage(uninstallInput, asked.input);
    if (client === undefined) return list(asked, "uninstall", others.name);
    return change(asked, planUninstall(asked.context, { client, ...others }));
  },
};

const stateWords: Record<ClientStanding["state"], string> = {
  installed: "installed",
  "installed-otherwise": "installed with another command",
  "name-taken": "another server has this name",
  "not-installed": "not installed",
  "not-found": "not on this machine",
  unreadable: "cannot be read",
};

async function list(
  { context, own: flags, terminal: { out } }: Invocation,
  command: string,
  name: string | undefined,
): Promise<number> {
  const clients = standings(context, name);
  if (flags["json"] === true) {
    await out.print(jsonText({ name: name ?? defaultName, clients }));
    return 0;
  }
  const rows = clients.map(({ client, state, detail, file }) => [
    client,
    detail === undefined ? stateWords[state] : `${stateWords[state]} (${harmless(detail)})`,
    file,
  ]);
  const columns = [{ title: "CLIENT" }, { title: "STATE" }, { title: "FILE" }];
  await out.print(`${table(columns, rows, { isTerminal: false, width: out.width })}\n`);
  await out.tell(
    `\`${command} --client CLIENT\` shows the change for one of them and asks before making it.`,
  );
  return 0;
}

async function change({ own: flags, terminal }: Invocation, planned: Change): Promise<number> {
  const { yes = false, dryRun = false, json = false } = own.parse(flags);
  const { out } = terminal;
  if (json) {
    await out.print(jsonText(await changeClient(planned, async () => yes && !dryRun)));
    return 0;
  }
  const { diff, notes } = planned;
  for (const note of notes) await out.tell(`${harmless(note)}${diff === "" ? "" : "\n"}`);
  const changed = await changeClient(planned, async () => {
    await out.print(`${planned.client.file}${fateOf(planned)}\n\n${coloured(diff, terminal)}\n`);
    return !dryRun && (yes || asksYes(terminal));
  });
  await sayWhatBecame(changed, dryRun, out);
  return 0;
}

async function sayWhatBecame(changed: ClientChange, dryRun: boolean, out: Printer): Promise<void> {
  const { client, file, notes, changes, applied, backup } = changed;
  if (applied) {
    const { title, afterwards } = clientOf(client);
    const copy = backup === undefined ? "" : ` A copy of the old file is ${backup}.`;
    await out.tell(`Done.${copy} ${title}: ${afterwards}`);
  } else if (changes && !dryRun) await out.print("Nothing was changed.");
  else if (!changes && notes.length === 0) await out.tell(`Already up to date: ${file}.`);
}

function fateOf({ before, after }: Change): string {
  if (before === undefined) return " (new)";
  return after === undefined ? " (will be removed: nothing else is in it)" : "";
}

function coloured(diff: string, { out }: Terminal): string {
  return harmless(diff)
    .split("\n")
    .map((line) => {
      if (line.startsWith("+")) return out.paint("green", line);
      return line.startsWith("-") ? out.paint("red", line) : line;
    })
    .join("\n");
}

function asksYes({ out }: Terminal): boolean {
  if (!out.isTerminal || !process.stdin.isTTY)
    throw new UsageError([
      "there is no terminal to ask in: pass --yes to change the file, or --dry-run to only see the change",
    ]);
  return confirm("Change the file?");
}
