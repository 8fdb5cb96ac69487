// Where each client keeps its servers, by operating system, and in which form.
import type { Environment } from "../../platform/environment.ts";
import { configurationBase, homeDirectory, join } from "../../platform/paths.ts";
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
  /** Fields of its entries besides command, arguments and environment. */
  beside: Record<string, string>;
  /** What a user must do before the client notices a change. */
  afterwards: string;
}

type System = "darwin" | "linux" | "win32";

/** The client of that name, on this machine. */
export function clientOf(name: ClientName, environment: Environment = process.env): McpClient {
  const file = filesOf(systemOf(process.platform), environment)[name];
  return { name, title: clientTitles[name], ...facts[name], file, scope: "user" };
}

const restart = "Quit it completely and start it again, so that it reads the change.";

const facts: Record<ClientName, Omit<McpClient, "name" | "title" | "file" | "scope">> = {
  "claude-desktop": {
    format: "jsonc",
    table: ["mcpServers"],
    beside: {},
    afterwards: restart,
  },
  "claude-code": {
    format: "jsonc",
    table: ["mcpServers"],
    beside: { type: "stdio" },
    afterwards: "Its next session uses the change.",
  },
  cursor: { format: "jsonc", table: ["mcpServers"], beside: {}, afterwards: restart },
  vscode: {
    format: "jsonc",
    table: ["servers"],
    beside: { type: "stdio" },
    afterwards: "When it first starts the server, it asks whether you trust it.",
  },
  codex: {
    format: "toml",
    table: ["mcp_servers"],
    beside: {},
    afterwards: "Its next session uses the change.",
  },
};

/** The file of each client on one system. `base`: where applications keep user configuration. */
export function filesOf(system: System, environment: Environment): Record<ClientName, string> {
  const home = homeDirectory();
  const base = configurationBase(system, environment);
  return {
    "claude-desktop": join(base, "Claude", "claude_desktop_config.json"),
    // These three have one place on every system; two can be configured to use another.
    "claude-code": join(environment["CLAUDE_CONFIG_DIR"] || home, ".claude.json"),
    cursor: join(home, ".cursor", "mcp.json"),
    vscode: join(base, "Code", "User", "mcp.json"),
    codex: join(environment["CODEX_HOME"] || join(home, ".codex"), "config.toml"),
  };
}

function systemOf(platform: NodeJS.Platform): System {
  return platform === "darwin" || platform === "win32" ? platform : "linux";
}
