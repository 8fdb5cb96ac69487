// The program's name and version. Imported by name, because a whole JSON import would end up in the executable.
import { version } from "../../package.json";

export const product = {
  name: "parallel-claude-code-mcp",
  /** It answers to these names as well. */
  otherNames: ["claude-code-parallel-mcp-server"],
  /** Semantic version. */
  version,
} as const;
