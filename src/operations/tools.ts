// All operations that are MCP tools, for what describes them. A server loads each on its own.
import type { Tool } from "./operation.ts";
import { allTools } from "./tool-named.ts";

export const tools: readonly Tool[] = await allTools();
