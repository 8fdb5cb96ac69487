// A `result` message as the CLI sends it, for tests that need little of it.
import type { ResultMessage } from "../../src/claude/message.ts";

export function resultMessage(fields: Partial<ResultMessage>): ResultMessage {
  return {
    type: "result",
    subtype: "success",
    is_error: false,
    num_turns: 1,
    duration_ms: 1,
    permission_denials: [],
    ...fields,
  };
}
