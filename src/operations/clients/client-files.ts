// Where each client keeps its servers, by operating system, and in which form.
import type { Environment } from "../../platform/environment.ts";
import { exists } from "../../platform/files.ts";
import { configurationBase, dirname, homeDirectory, join } from "../../platform/paths.ts";
import { type ClientName, clientTitles } from "./client-names.ts";

/** What a client needs to start a server. */
export interface ServerEntry {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export interface McpClient {
  name: ClientName;
  title: string;
  /** The file that holds its servers, whether or not it exists. Absolute. */
  file: string;
  format: "jsonc" | "toml";
  /** The path of the table of all servers in that file. */
  table: readonly string[];
  /** Where its servers apply: for this user everywhere, for this user in one project, or for all who work on it. */
  scope: "user" | "local" | "project";
  /** How its entries name what to start: a command with `args` and `env`, or one list of words with `environment`. */
  shape: "command" | "words";
  /** Fields of its entries besides command, arguments and environment. */
  beside: Record<string, string>;
  /** Its file in a project, from the root of that; absent if it reads none there. */
  projectFile?: string;
  /** The root of the project that shares the file. */
  root?: string;
  /** What a user must do before the client notices a change. */
  afterwards: string;
}

type System = "darwin" | "linux" | "win32";

/** The client of that name, on this machine. */
export function clientOf(name: ClientName, environment: Environment = process.env): McpClient {
  const file = filesOf(systemOf(process.platform), environment)[name];
  const { otherName, ...fact } = facts[name];
  return { name, title: clientTitles[name], ...fact, file: thereOf(file, otherName), scope: "user" };
}

/** Where a client looks in a project with this root; undefined if it looks at none. */
export function inProject(client: McpClient, root: string): McpClient | undefined {
  const { projectFile } = client;
  if (projectFile === undefined) return undefined;
  const { table, otherName } = facts[client.name];
  return { ...client, scope: "project", root, table, file: thereOf(join(root, projectFile), otherName) };
}

// The one of its two names under which it is there.
function thereOf(file: string, otherName: string | undefined): string {
  const other = otherName === undefined ? file : join(dirname(file), otherName);
  return exists(other) && !exists(file) ? other : file;
}

const restart = "Quit it completely and start it again, so that it reads the change.";

const atNextSession = "Its next session uses the change.";

const usual = { format: "jsonc", table: ["mcpServers"], shape: "command", beside: {} } as const;

interface Fact extends Omit<McpClient, "name" | "title" | "file" | "scope"> {
  /** Another name that the file may have. */
  otherName?: string;
}

const facts: Record<ClientName, Fact> = {
  "claude-desktop": { ...usual, afterwards: restart },
  "claude-code": {
    ...usual,
    beside: { type: "stdio" },
    projectFile: ".mcp.json",
    afterwards: atNextSession,
  },
  cursor: { ...usual, projectFile: ".cursor/mcp.json", afterwards: restart },
  vscode: {
    ...usual,
    table: ["servers"],
    beside: { type: "stdio" },
    projectFile: ".vscode/mcp.json",
    afterwards: "When it first starts the server, it asks whether you trust it.",
  },
  codex: { ...usual, format: "toml", table: ["mcp_servers"], afterwards: atNextSession },
  windsurf: { ...usual, afterwards: restart },
  zed: {
    ...usual,
    table: ["context_servers"],
    projectFile: ".zed/settings.json",
    afterwards: "It starts the server as soon as it sees the change.",
  },
  gemini: { ...usual, projectFile: ".gemini/settings.json", afterwards: atNextSession },
  opencode: {
    ...usual,
    table: ["mcp"],
    shape: "words",
    beside: { type: "local" },
    projectFile: "opencode.json",
    otherName: "opencode.jsonc",
    afterwards: "It reads the change when it is started again.",
  },
  cline: { ...usual, afterwards: "It starts the server as soon as it sees the change." },
};

/** The file of each client on one system. `base`: where applications keep user configuration. */
export function filesOf(system: System, environment: Environment): Record<ClientName, string> {
  const home = homeDirectory();
  const base = configurationBase(system, environment);
  // By the customs of Linux on every system.
  const xdg = configurationBase("linux", environment);
  return {
    "claude-desktop": join(base, "Claude", "claude_desktop_config.json"),
    // These three have one place on every system; two can be configured to use another.
    "claude-code": join(environment["CLAUDE_CONFIG_DIR"] || home, ".claude.json"),
    cursor: join(home, ".cursor", "mcp.json"),
    vscode: join(base, "Code", "User", "mcp.json"),
    codex: join(environment["CODEX_HOME"] || join(home, ".codex"), "config.toml"),
    windsurf: join(home, ".codeium", "windsurf", "mcp_config.json"),
    zed: system === "win32" ? join(base, "Zed", "settings.json") : join(xdg, "zed", "settings.json"),
    gemini: join(home, ".gemini", "settings.json"),
    opencode: join(xdg, "opencode", "opencode.json"),
    // An extension of VS Code.
    cline: join(
      base,
      "Code",
      "User",
      "globalStorage",
      "saoudrizwan.claude-dev",
      "settings",
      "cline_mcp_settings.json",
    ),
  };
}

function systemOf(platform: NodeJS.Platform): System {
  return platform === "darwin" || platform === "win32" ? platform : "linux";
}
