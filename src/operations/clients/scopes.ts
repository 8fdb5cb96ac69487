// Where a client looks for servers from one directory: in the user's file, and in the project.
import { repositoryOf } from "../../claude/repository.ts";
import { exists, realPath } from "../../platform/files.ts";
import { dirname } from "../../platform/paths.ts";
import { inProject, type McpClient } from "./client-files.ts";

/** The user's own place first. */
export function scopesOf(client: McpClient, directory: string): McpClient[] {
  const from = realPath(directory);
  const repository = repositoryOf(from);
  if (client.name !== "claude-code") return [client, ...sharedIn(client, [repository?.root ?? from])];
  // Like `claude mcp add`: without a scope, in the user's file, under the root of the repository.
  const project = repository?.main ?? from;
  const local: McpClient = { ...client, scope: "local", table: ["projects", project, "mcpServers"] };
  return [client, local, ...sharedIn(client, upwards(from))];
}

function sharedIn(client: McpClient, roots: readonly string[]): McpClient[] {
  return roots.flatMap((root) => inProject(client, root) ?? []).filter(({ file }) => exists(file));
}

function upwards(directory: string): string[] {
  const above = dirname(directory);
  return above === directory ? [directory] : [directory, ...upwards(above)];
}
