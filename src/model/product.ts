// The program's name and version. Imported by name, because a whole JSON import would end up in the executable.
import { repository, version } from "../../package.json";

export const product = {
  name: "parallel-claude-code-mcp",
  /** It answers to these names as well. */
  otherNames: ["claude-code-parallel-mcp-server"],
  /** For typing. A C compiler has this name as well, so it is only there where nothing else had it. */
  shortName: "pcc",
  /** Semantic version. */
  version,
  /** Where its releases are: of nobody until the first one. */
  repository: `https://github.com/${repository.replace(/^github:/, "")}`,
} as const;
