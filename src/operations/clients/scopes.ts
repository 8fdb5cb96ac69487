// Where a client looks for servers from one directory: in the user's file, and for Claude Code also in the project.
import { repositoryOf } from "../../claude/repository.ts";
import { exists, realPath } from "../../platform/files.ts";
import { dirname, join } from "../../platform/paths.ts";
import type { McpClient } from "./client-files.ts";

/** The user's own place first. */
export function scopesOf(client: McpClient, directory: string): McpClient[] {
  if (client.name !== "claude-code") return [client];
  const from = realPath(directory);
  // Like `claude mcp add`: without a scope, in the user's file, under the root of the repository.
  const project = repositoryOf(from)?.main ?? from;
  const local: McpClient = { ...client, scope: "local", table: ["projects", project, "mcpServers"] };
  const shared = upwards(from)
    .map((at) => join(at, ".mcp.json"))
    .filter(exists)
    .map((file): McpClient => ({ ...client, scope: "project", file, table: ["mcpServers"] }));
  return [client, local, ...shared];
}

function upwards(directory: string): string[] {
  const above = dirname(directory);
  return above === directory ? [directory] : [directory, ...upwards(above)];
}
