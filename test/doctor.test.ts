import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { testNeeding } from "./facilities.ts";
import { fakeDirectory, filesIn, Home, run } from "./harness.ts";

const reportSchema = z.object({
  ok: z.boolean(),
  findings: z.array(
    z.object({ name: z.string(), ok: z.boolean(), detail: z.string(), remedy: z.string().optional() }),
  ),
});

async function examined(home: Home) {
  const { code, out, err } = await run(home, ["doctor", "--json"]);
  const report = reportSchema.parse(JSON.parse(out));
  const finding = (name: string) => report.findings.find((one) => one.name === name);
  const failed = report.findings.filter(({ ok }) => !ok).map(({ name }) => name);
  return { code, err, report, finding, failed, text: out };
}

/** A home whose `claude` is this script. */
function homeWith(script: string): Home {
  const home = new Home();
  const path = home.file("own-claude");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  configure(home, { claudePath: path });
  return home;
}

function configure(home: Home, settings: Record<string, unknown>): void {
  const directory = home.file(".config/parallel-claude-code-mcp");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "config.json"), JSON.stringify(settings));
}

test("all is well where claude starts and has a key, and no model is asked", async () => {
  await using home = new Home({ ANTHROPIC_API_KEY: "sk-secret-value" });
  const { code, report, failed, finding } = await examined(home);
  expect(failed).toEqual([]);
  expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
  expect(finding("login")?.detail).toContain("ANTHROPIC_API_KEY");
  const starts = readFileSync(home.startsLog, "utf8");
  expect(starts).toContain('"kind":"start"');
  expect(starts).not.toContain('"kind":"prompt"');
  await home.empty();
});

test("credentials are told by their names, never by their values", async () => {
  await using home = new Home({ ANTHROPIC_API_KEY: "sk-secret-value", CLAUDE_CODE_USE_BEDROCK: "" });
  const { text, finding } = await examined(home);
  expect(finding("credentials")?.detail).toContain("ANTHROPIC_API_KEY");
  expect(finding("credentials")?.detail).not.toContain("BEDROCK");
  expect(text).not.toContain("secret");
});

test("a configured claude that is not there fails, with the variable that names it", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CLAUDE_PATH: "/nowhere/claude" });
  const { code, failed, finding } = await examined(home);
  expect({ code, failed }).toEqual({ code: 1, failed: ["claude"] });
  expect(finding("claude")?.detail).toContain("/nowhere/claude");
  expect(finding("claude")?.remedy).toContain("PARALLEL_CLAUDE_CLAUDE_PATH");
});

test("a claude that is too old fails, with how to renew it", async () => {
  await using home = homeWith('echo "1.0.128 (Claude Code)"');
  const { code, failed, finding } = await examined(home);
  expect({ code, failed }).toEqual({ code: 1, failed: ["version"] });
  expect(finding("version")).toMatchObject({
    detail: "1.0.128 is older than 2.1.197, the oldest supported.",
    remedy: expect.stringContaining("update"),
  });
});

const guiPath = "/usr/bin:/bin:/usr/sbin:/sbin";

/** A `claude` in the home, where installers put it. */
function installed(home: Home, script: string, mode = 0o755): string {
  mkdirSync(home.file(".local/bin"), { recursive: true });
  const path = home.file(".local/bin/claude");
  writeFileSync(path, script);
  chmodSync(path, mode);
  return path;
}

testNeeding("a machine without claude")(
  "no claude anywhere fails, with the places searched and how to get it",
  async () => {
    await using home = new Home({ PATH: guiPath });
    const { code, failed, finding } = await examined(home);
    expect({ code, failed }).toEqual({ code: 1, failed: ["claude"] });
    expect(finding("claude")?.detail).toContain(home.file(".local/bin"));
    expect(finding("claude")?.remedy).toContain("npm install -g @anthropic-ai/claude-code");
  },
);

testNeeding("a machine without claude")(
  "a claude that may not be run fails, with how to allow it",
  async () => {
    await using home = new Home({ PATH: guiPath });
    const path = installed(home, "#!/bin/sh\n", 0o644);
    const { failed, finding } = await examined(home);
    expect(failed).toEqual(["claude"]);
    expect(finding("claude")).toMatchObject({
      detail: expect.stringContaining(`${path} is there, but may not be run`),
      remedy: `Run \`chmod +x ${path}\`.`,
    });
  },
);

testNeeding("a machine without claude")(
  "with the PATH of a desktop application, claude is found where installers put it",
  async () => {
    await using home = new Home({ PATH: guiPath });
    const path = installed(home, `#!/bin/sh\nexec '${join(fakeDirectory, "claude")}' "$@"\n`);
    const { failed, finding } = await examined(home);
    expect(failed).toEqual([]);
    expect(finding("claude")?.detail).toStartWith(path);
    expect(finding("session")?.ok).toBe(true);
  },
);

test("a wrapper script is called one, and is looked at as sessions start it", async () => {
  await using home = homeWith(`exec '${join(fakeDirectory, "claude")}' "$@"`);
  const { failed, finding } = await examined(home);
  expect(failed).toEqual([]);
  expect(finding("claude")?.detail).toContain("a script that /bin/sh runs");
});

test("a script whose interpreter sessions do not have fails, with how to give it to them", async () => {
  await using home = new Home();
  const path = home.file("own-claude");
  writeFileSync(path, "#!/usr/bin/env node-of-long-ago\n");
  chmodSync(path, 0o755);
  configure(home, { claudePath: path });
  const { failed, finding } = await examined(home);
  expect(failed).toEqual(["version"]);
  expect(finding("version")).toMatchObject({
    detail: expect.stringContaining("needs `node-of-long-ago`"),
    remedy: expect.stringContaining("PATH"),
  });
});

test("a claude that hangs is ended after a while, and told", async () => {
  await using home = homeWith("sleep 7700041");
  const { failed, finding } = await examined(home);
  expect(failed).toEqual(["version"]);
  expect(finding("version")?.detail).toContain("did not answer within 10 s");
  await home.empty();
}, 120_000);

test("a state directory that cannot be made fails, with what to set", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_STATE_DIRECTORY: "/proc/no/place" });
  const { failed, finding } = await examined(home);
  expect(failed).toEqual(["state"]);
  expect(finding("state")).toMatchObject({
    detail: expect.stringContaining("/proc/no/place cannot be created"),
    remedy: expect.stringContaining("PARALLEL_CLAUDE_STATE_DIRECTORY"),
  });
});

test("an output directory that cannot be written fails, with what to set", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_OUTPUT_DIRECTORY: "/dev/null/results" });
  const { failed, finding } = await examined(home);
  expect(failed).toEqual(["output"]);
  expect(finding("output")?.remedy).toContain("PARALLEL_CLAUDE_OUTPUT_DIRECTORY");
});

test("an API key beside a login is told, with which of the two is billed", async () => {
  await using home = new Home({ ANTHROPIC_API_KEY: "sk-secret-value" });
  writeFileSync(home.file(".claude.json"), JSON.stringify({ oauthAccount: { emailAddress: "a@b.c" } }));
  const { failed, finding, text } = await examined(home);
  expect(failed).toEqual([]);
  expect(finding("credentials")).toMatchObject({
    detail: expect.stringContaining("billed to the former"),
    remedy: expect.stringContaining("remove ANTHROPIC_API_KEY"),
  });
  expect(text).not.toContain("secret");
});

test("every finding that fails says what to do about it", async () => {
  await using home = homeWith("exit 1");
  configure(home, { claudePath: home.file("own-claude"), workingDirectory: "/" });
  writeFileSync(home.state, "in the way");
  const { report } = await examined(home);
  const silent = report.findings.filter(({ ok, remedy }) => !ok && (remedy ?? "") === "");
  expect(silent).toEqual([]);
});

const version = 'if [ "$1" = --version ]; then echo "2.1.197 (Claude Code)"; exit; fi';

test("a claude that does not start as a session does fails, with its last words", async () => {
  await using home = homeWith(`${version}; echo "cannot open the pod bay doors" >&2; exit 3`);
  const { failed, finding } = await examined(home);
  expect(failed).toEqual(["session"]);
  expect(finding("session")?.detail).toContain("ended with 3: cannot open the pod bay doors");
});

test("a claude that says that it is not logged in fails, with how to log in", async () => {
  const account = { tokenSource: "none", apiProvider: "firstParty" };
  const response = { subtype: "success", request_id: "doctor", response: { account } };
  const line = JSON.stringify({ type: "control_response", response });
  await using home = homeWith(`${version}; read request; echo '${line}'; cat`);
  const { failed, finding } = await examined(home);
  expect(failed).toEqual(["login"]);
  expect(finding("login")?.remedy).toContain("/login");
});

test("a login of which claude says nothing is called unknown, with how to find out", async () => {
  const line = JSON.stringify({ type: "control_response", response: { subtype: "success" } });
  await using home = homeWith(`${version}; read request; echo '${line}'; cat`);
  const { failed, finding } = await examined(home);
  expect(failed).toEqual([]);
  expect(finding("login")).toMatchObject({
    detail: expect.stringContaining("Unknown"),
    remedy: expect.stringContaining("run"),
  });
});

test("a mistyped variable is told and stops nothing, and claude is looked at all the same", async () => {
  await using home = new Home({ PARALLEL_CLAUDE_CONCURENCY: "3" });
  const { code, failed, finding } = await examined(home);
  expect({ code, failed }).toEqual({ code: 0, failed: [] });
  expect(finding("configuration")?.detail).toContain("did you mean `PARALLEL_CLAUDE_CONCURRENCY`");
  expect(finding("session")?.ok).toBe(true);
});

test("directories that cannot be used are told, each with what to do", async () => {
  await using home = new Home();
  configure(home, { workingDirectory: "/" });
  writeFileSync(home.state, "a file in the way");
  writeFileSync(home.output, "a file in the way");
  const { failed, report } = await examined(home);
  expect(failed).toEqual(["state", "output", "directory"]);
  for (const { ok, detail, remedy } of report.findings) {
    if (!ok) expect(`${detail} ${remedy}`).toContain("PARALLEL_CLAUDE_");
  }
});

test("doctor makes no output directory and leaves nothing in the temporary one", async () => {
  await using temporary = new Home();
  await using home = new Home({ TMPDIR: temporary.work });
  const { code, out } = await run(home, ["doctor"]);
  expect({ code, there: existsSync(home.output) }).toEqual({ code: 0, there: false });
  expect(out).toContain("ok    claude");
  expect(filesIn(temporary.work)).toEqual([]);
});
