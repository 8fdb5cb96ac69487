#!/usr/bin/env node
// The second package only has another name. Its launcher is that of the first, which stands beside it as a dependency.
import "parallel-claude-code-mcp/launcher.mjs";
