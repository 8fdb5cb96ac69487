// The operations as clients list them. As a program, it prints the list.
import { spawnParallel } from "../../operations/spawn.ts";
import { tools } from "../../operations/tools.ts";
import { inputJsonSchema, outputJsonSchema } from "./json-schema.ts";

/**
 * Claude Code shows a preview of longer answers, unless a tool declares that it needs more; ours have at most 100,000.
 */
const claudeCodeCharacters = 150_000;
const longAnswers = ["spawn_claude_session", "spawn_parallel_claude_sessions", "read_batch_results"];
/**
 * The main reason to install the server. Claude Code hides the other tools behind a search, so this one describes the
 * options of all.
 */
const main = spawnParallel;

/** The list as JSON. It depends on nothing but the declarations: neither on the system nor on the environment. */
export function listedTools(): string {
  return JSON.stringify(
    tools.map((tool) => ({
      name: tool.name,
      description: `${tool.when} ${tool.description}`,
      inputSchema: {
        ...inputJsonSchema(tool.input, tool === main ? undefined : main.input),
        type: "object" as const,
      },
      outputSchema: { ...outputJsonSchema(tool.output), type: "object" as const },
      // Clients of every era look for it here.
      annotations: { title: tool.title, ...tool.annotations },
      ...hintsFor(tool.name),
    })),
  );
}

function hintsFor(name: string) {
  const hints = {
    ...(longAnswers.includes(name) ? { "anthropic/maxResultSizeChars": claudeCodeCharacters } : {}),
    ...(name === main.name ? { "anthropic/alwaysLoad": true } : {}),
  };
  return Object.keys(hints).length > 0 ? { _meta: hints } : {};
}

if (import.meta.main) process.stdout.write(listedTools());
