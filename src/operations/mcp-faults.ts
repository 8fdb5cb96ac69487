// Faults of a session's MCP servers that can be found before it starts. Claude Code starts a session even if a server
// does not start.
import { z } from "zod";
import { pathDirectories } from "../claude/find.ts";
import { isJsonText } from "../claude/settings-file.ts";
import { isExecutable, readSmallFile } from "../platform/files.ts";
import { isAbsolute, join } from "../platform/paths.ts";
import { messageOf } from "../platform/system-error.ts";

const configuration = z.object({ mcpServers: z.record(z.string(), z.unknown()) });
const anyServer = z.union([
  z.looseObject({ command: z.string().min(1) }),
  z.looseObject({ url: z.string().min(1) }),
  // Future kinds, such as servers within the program.
  z.looseObject({ type: z.string().regex(/^(?!(?:stdio|http|sse)$)/) }),
]);
const localServer = z.looseObject({
  type: z.literal("stdio").optional(),
  command: z.string(),
  env: z.record(z.string(), z.unknown()).optional(),
});

/** Every fault of a configuration: the object itself, its text, or the absolute path of a file. */
export function mcpFaults(given: string | Record<string, unknown>, path: string | undefined): string[] {
  const read = typeof given === "string" ? jsonIn(given) : { value: given };
  if ("fault" in read) return [read.fault];
  const parsed = configuration.safeParse(read.value);
  if (!parsed.success) {
    return [
      'has no `mcpServers`: expected `{"mcpServers": {"name": {"command": "…"}}}`, as in a project\'s .mcp.json',
    ];
  }
  return Object.entries(parsed.data.mcpServers).flatMap(([name, server]) => {
    const shape = anyServer.safeParse(server);
    if (!shape.success) return [`mcpServers.${name} has neither \`command\` nor \`url\``];
    const local = localServer.safeParse(server);
    const fault = local.success ? commandFault(local.data, path) : undefined;
    return fault === undefined ? [] : [`mcpServers.${name}.command ${fault}`];
  });
}

function jsonIn(given: string): { value: unknown } | { fault: string } {
  const read = isJsonText(given) ? { text: given } : textOf(given);
  if ("fault" in read) return read;
  try {
    return { value: JSON.parse(read.text) };
  } catch (error) {
    return { fault: `is not JSON: ${messageOf(error)}` };
  }
}

/** Longer configurations are not read, in bytes. */
const mostBytes = 10_000_000;

function textOf(path: string): { text: string } | { fault: string } {
  const read = readSmallFile(path, mostBytes);
  if (read.kind === "bytes") return { text: new TextDecoder().decode(read.bytes) };
  return { fault: read.kind === "nothing" ? "does not exist" : read.reason };
}

// Claude Code expands variables in a command; a relative path starts at the session's directory.
function commandFault({ command, env }: z.infer<typeof localServer>, path: string | undefined) {
  if (command.includes("$") || process.platform === "win32") return undefined;
  if (isAbsolute(command)) {
    return isExecutable(command) ? undefined : `${command} is not an executable file`;
  }
  if (command.includes("/") || env?.["PATH"] !== undefined) return undefined;
  const directories = pathDirectories(path);
  if (directories.some((directory) => isExecutable(join(directory, command)))) return undefined;
  return `${command} was not found on the sessions' PATH (${directories.join(", ")}); give its absolute path`;
}
