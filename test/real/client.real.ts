// The real `claude` as a client of ours: it adds the compiled program, over both doors, and finds it connected. `bun run test:real`.
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../scripts/build.ts";
import { RunningCommand } from "../cli-harness.ts";
import { eventually, Home, useProgram } from "../harness.ts";
import { cleanEnvironment, type RealHome, realHome } from "./session.ts";
import { claude, describeReal } from "./version.ts";

setDefaultTimeout(120_000);

async function said(home: RealHome, ...args: string[]): Promise<string> {
  const child = Bun.spawn([claude?.path ?? "", ...args], {
    cwd: home.project,
    env: cleanEnvironment(home),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  if (code !== 0) throw new Error(`claude ${args.join(" ")} ended with ${code}: ${out}${err}`);
  return out;
}

describeReal("the real claude as a client", () => {
  const directory = mkdtempSync(join(tmpdir(), "pccm-client-"));
  const executable = join(directory, "parallel-claude-code-mcp");
  let restore: Disposable;
  beforeAll(async () => {
    await build(executable);
    restore = useProgram([executable]);
  });
  afterAll(() => {
    restore[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test("`claude mcp add NAME -- PROGRAM` connects over standard input and output", async () => {
    await using home = await realHome();
    await said(home, "mcp", "add", "parallel", "--", executable);
    expect(await said(home, "mcp", "list")).toMatch(/parallel: .*Connected/);
  });

  test("the README's `claude mcp add --transport http` connects over HTTP", async () => {
    await using ours = new Home();
    await using door = new RunningCommand(ours, ["serve", "--http", "0"]);
    await eventually(
      () => door.said.trimEnd().endsWith("\n}"),
      () => door.said,
    );
    const configuration = JSON.parse(door.said.slice(door.said.indexOf("\n{")));
    const { url, headers } = configuration.mcpServers["claude-code"];
    const header = `Authorization: ${headers.Authorization}`;
    await using home = await realHome();
    await said(home, "mcp", "add", "--transport", "http", "parallel", url, "--header", header);
    expect(await said(home, "mcp", "list")).toMatch(/parallel: .*Connected/);
  });

  test("with a wrong token it does not connect", async () => {
    await using ours = new Home();
    await using door = new RunningCommand(ours, ["serve", "--http", "0"]);
    await eventually(
      () => door.said.trimEnd().endsWith("\n}"),
      () => door.said,
    );
    const url = /listens on (\S+)/.exec(door.said)?.[1] ?? "";
    await using home = await realHome();
    await said(
      home,
      "mcp",
      "add",
      "--transport",
      "http",
      "parallel",
      url,
      "--header",
      "Authorization: Bearer no",
    );
    const list = await said(home, "mcp", "list");
    expect(list).toContain("parallel: ");
    expect(list).not.toMatch(/parallel: .*Connected/);
  });

  // What `operations/claude-code-client.ts` relies on. The server writes down its environment, and what it is asked.
  for (const [how, args, inherited, entryPoint] of [
    ["-p", ["-p", "hi"], undefined, "sdk-cli"],
    ["-p under an interactive session", ["-p", "hi"], "cli", "sdk-cli"],
    ["an interactive session", [], undefined, "cli"],
  ] as const) {
    test(`${how} gives its servers the entry point ${entryPoint}`, async () => {
      await using home = await realHome();
      const seen = join(home.path, "seen");
      const server = `printf '%s\\n' "$CLAUDE_CODE_ENTRYPOINT" > "${seen}"; cat > /dev/null`;
      const servers = { mcpServers: { probe: { type: "stdio", command: "sh", args: ["-c", server] } } };
      await Bun.write(join(home.path, "mcp.json"), JSON.stringify(servers));
      const key = "sk-ant-made-up-and-long-enough-for-the-question";
      await Bun.write(
        join(home.path, ".claude.json"),
        JSON.stringify({
          hasCompletedOnboarding: true,
          theme: "dark",
          customApiKeyResponses: { approved: [key.slice(-20)], rejected: [] },
          projects: { [home.project]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } },
        }),
      );
      await using child = Bun.spawn(
        [claude?.path ?? "", ...args, "--mcp-config", join(home.path, "mcp.json"), "--strict-mcp-config"],
        {
          cwd: home.project,
          env: {
            ...cleanEnvironment(home),
            // Nobody listens there: the servers start all the same.
            ANTHROPIC_BASE_URL: "http://127.0.0.1:9",
            ANTHROPIC_API_KEY: key,
            TERM: "xterm-256color",
            ...(inherited === undefined ? {} : { CLAUDE_CODE_ENTRYPOINT: inherited }),
          },
          ...(args.length > 0
            ? { stdin: "ignore", stdout: "ignore", stderr: "ignore" }
            : { terminal: { cols: 120, rows: 40, data: () => undefined } }),
        },
      );
      await eventually(
        () => existsSync(seen) && readFileSync(seen, "utf8") !== "",
        () => "the server was not started",
        60_000,
      );
      expect(readFileSync(seen, "utf8").trim()).toBe(entryPoint);
      child.kill("SIGKILL");
    });
  }
});
