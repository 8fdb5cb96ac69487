// Tools that a session was not allowed to use, and what lets them through.
import type { Denial } from "../model/outcome.ts";
import type { ResultMessage } from "./message.ts";

/** What a result says was denied. */
export function denialsOf(result: ResultMessage | undefined): Denial[] {
  return (result?.permission_denials ?? []).map(({ tool_name, tool_input }) => {
    const command = tool_input["command"];
    // The rule for a command ends in `:*` after its first word: narrow enough, and what the user meant.
    const rule =
      tool_name === "Bash" && typeof command === "string"
        ? `Bash(${command.trim().split(/\s+/, 1)[0] ?? ""}:*)`
        : tool_name;
    return { tool: tool_name, rule };
  });
}
