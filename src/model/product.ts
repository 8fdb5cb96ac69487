// What this program is called, and which version it is.
// By its name, for all of a JSON that is imported as a whole would be in the executable.
import { version } from "../../package.json";

export const product = {
  name: "parallel-claude-code-mcp",
  /** It answers to these as well. */
  otherNames: ["claude-code-parallel-mcp-server"],
  /** Semantic version. */
  version,
} as const;
