// What this program is called, and which version it is.
import packageJson from "../../package.json" with { type: "json" };

export const product = {
  name: "parallel-claude-code-mcp",
  /** It answers to these as well. */
  otherNames: ["claude-code-parallel-mcp-server"],
  /** Semantic version. */
  version: packageJson.version,
} as const;
