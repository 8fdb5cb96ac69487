// Holds the fake `claude` to the command line of the real one: what it takes, and what it refuses in which words.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { messagesIn, run, temporaryFolder } from "./fixtures/run-fake-claude.ts";

const nobody = "00000000-0000-4000-8000-000000000001";
const noPrompt =
  "Error: Input must be provided either through stdin or as a prompt argument when using --print";

describe("refuses what the real one refuses:", () => {
  const refusals: [readonly string[], string][] = [
    [["--x"], "error: unknown option '--x'"],
    [["--timeout", "3"], "error: unknown option '--timeout'"],
    [["--modle", "opus"], "error: unknown option '--modle'\n(Did you mean --model?)"],
    [["- list item"], "error: unknown option '- list item'"],
    [
      ["--output-format", "xml"],
      "error: option '--output-format <format>' argument 'xml' is invalid. Allowed choices are text, json, stream-json.",
    ],
    [["--model"], "error: option '--model <model>' argument missing"],
    [
      ["--output-format=stream-json", "hi"],
      "Error: When using --print, --output-format=stream-json requires --verbose",
    ],
    [
      ["--input-format", "stream-json"],
      "Error: --input-format=stream-json requires output-format=stream-json.",
    ],
    [["--session-id", "7", "hi"], "Error: Invalid session ID. Must be a valid UUID."],
    [["--resume", nobody, "hi"], `No conversation found with session ID: ${nobody}`],
    [["--settings", "/none.json", "hi"], "Error: Settings file not found: /none.json"],
    [
      ["--mcp-config", "/none.json", "--", "hi"],
      "Error: Invalid MCP configuration:\nMCP config file not found: /none.json",
    ],
    [
      ["--setting-sources", "bogus", "hi"],
      "Error processing --setting-sources: Invalid setting source: bogus. Valid options are: user, project, local",
    ],
    [["--allowedTools", "Bash", "hi"], noPrompt],
    [[], noPrompt],
    [["   "], "Error: No messages returned from query"],
  ];
  for (const [args, message] of refusals) {
    test.concurrent(`claude -p ${args.join(" ")}`, async () => {
      const { stdout, stderr, exitCode } = await run({ args: ["-p", ...args] });
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: "", stderr: `${message}\n`, exitCode: 1 });
    });
  }

  test.concurrent("a budget of nothing", async () => {
    const args = ["-p", "--max-budget-usd", "0", "hi"];
    const older = await run({ args, env: { FAKE_CLAUDE_VERSION: "2.1.197" } });
    expect(older.stderr).toContain("error: --max-budget-usd must be a positive number greater than 0");
    const { stderr, exitCode } = await run({ args });
    expect(stderr).toContain("--max-budget-usd must be a number greater than 0");
    expect(exitCode).toBe(1);
  });

  test.concurrent("a schema that is no JSON", async () => {
    const { stderr, exitCode } = await run({ args: ["-p", "--json-schema", "{", "hi"] });
    expect(stderr).toStartWith("Error: --json-schema is not valid JSON: JSON Parse error: ");
    expect(exitCode).toBe(1);
  });

  testNeeding("the rights of root")("root that bypasses permissions outside a sandbox", async () => {
    const { stderr, exitCode } = await run({
      args: ["-p", "--dangerously-skip-permissions", "hi"],
      env: { IS_SANDBOX: undefined },
    });
    expect(stderr).toBe(
      "--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n",
    );
    expect(exitCode).toBe(1);
  });
});

describe("takes prompts and options as the real one does:", () => {
  test.concurrent("a leading blank makes a slash command text", async () => {
    expect((await run({ args: ["-p", "/word"] })).stdout).toBe("Unknown command: /word\n");
    expect((await run({ args: ["-p", " /word"] })).stdout).toBe("Answer to: /word\n");
  });

  test.concurrent("lists end at `=` and at `--`", async () => {
    expect((await run({ args: ["-p", "--allowedTools=Bash,Read", "hi"] })).stdout).toBe("Answer to: hi\n");
    expect((await run({ args: ["-p", "--allowedTools", "Bash", "--", "- hi"] })).stdout).toBe(
      "Answer to: - hi\n",
    );
  });

  test.concurrent("a session is resumed under its id, with what was asked before", async () => {
    using home = temporaryFolder();
    const env = { HOME: home.path };
    const once = (args: string[]) => run({ args: ["-p", ...args], env, cwd: home.path });
    await once(["--session-id", nobody, "first"]);
    expect((await once(["--session-id", nobody, "again"])).stderr).toBe(
      `Error: Session ID ${nobody} is already in use.\n`,
    );
    expect((await once(["--resume", nobody, "[[history]]"])).stdout).toBe('["first"]\n');
  });

  test.concurrent("what it does is logged, line by line", async () => {
    using home = temporaryFolder();
    const FAKE_CLAUDE_LOG = join(home.path, "log");
    await run({ args: ["-p", `[[touch path=${home.path}/touched]]`], env: { FAKE_CLAUDE_LOG } });
    const kinds = messagesIn(await Bun.file(FAKE_CLAUDE_LOG).text()).map((line) => line["kind"]);
    expect(kinds).toEqual(["start", "prompt", "result"]);
    expect(existsSync(join(home.path, "touched"))).toBe(true);
  });
});
