#!/usr/bin/env bun
// Picks a door and imports it lazily: `--version` must not pay for the MCP SDK, nor a session for either.
import { product } from "./model/product.ts";

const [first, ...others] = process.argv.slice(2);

if (first === "--version" || first === "-v") {
  console.log(product.version);
} else if (first?.startsWith("__")) {
  const { runHidden } = await import("./doors/runner.ts");
  process.exit(await runHidden(first, others));
} else if (others.length === 0 && (first === "serve" || (first === undefined && !process.stdin.isTTY))) {
  const { serve } = await import("./doors/mcp.ts");
  process.exit(await serve());
} else {
  const { runCommand } = await import("./doors/cli.ts");
  process.exitCode = await runCommand(process.argv.slice(2));
}
