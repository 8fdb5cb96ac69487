#!/usr/bin/env bun
// Picks a door and imports it lazily: `--version` must not pay for the MCP SDK, nor a session for either.
import { lastWords, printNow, sayNow } from "./doors/cli/print-now.ts";
import { product } from "./model/product.ts";
import { compileSooner } from "./platform/compiler.ts";
import { scheduleLogVariable } from "./platform/session-variables.ts";

const [first, ...others] = process.argv.slice(2);

// The executable starts with a lazy compiler (`scripts/build.ts`). What runs longer should run faster.
const isLonger = setTimeout(() => compileSooner("late"), 1_000);
isLonger.unref();

// In a container without an init process.
if (process.pid === 1) await (await import("./platform/orphans.ts")).reapAsInit();

if (first !== undefined && /^(?:--version|-v|-V|version)$/.test(first) && others.length === 0) {
  process.exitCode = printNow(product.version);
} else if (first === "__complete") {
  const { complete } = await import("./doors/cli/complete.ts");
  process.exitCode = await complete(others);
} else if (first?.startsWith("__")) {
  await import("./model/interpreted-schemas.ts");
  const { runHidden } = await import("./doors/runner.ts");
  compileSooner("late");
  process.exit(await runHidden(first, others));
} else if ((others.length === 0 && first === "serve") || (first === undefined && !process.stdin.isTTY)) {
  // A server mostly waits, and there may be one for each window of a client: compiled code would only take memory.
  clearTimeout(isLonger);
  await import("./model/interpreted-schemas.ts");
  const { serve } = await import("./doors/mcp/stdio/serve.ts");
  process.exit(await serve());
} else {
  const [{ runCommand }, { Trouble }] = await Promise.all([
    import("./doors/cli/cli.ts"),
    import("./doors/cli/trouble.ts"),
  ]);
  const log = process.env[scheduleLogVariable];
  if (log !== undefined) {
    const { printIntoBoundedLog } = await import("./operations/schedule/bounded-log.ts");
    await printIntoBoundedLog(log);
  }
  try {
    process.exitCode = await runCommand(process.argv.slice(2));
  } catch (error) {
    // Report first: sessions and timers must not keep a failed command alive.
    sayNow(lastWords(error, error instanceof Trouble));
    process.exit(1);
  }
}
