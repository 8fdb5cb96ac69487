// What doctor finds, on the path that a session takes, with a `claude` that is a script.
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { checkVersion } from "../../src/operations/claude-version.ts";
import { doctor } from "../../src/operations/doctor.ts";
import { probeSession, probeVersion } from "../../src/operations/probe.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { staleAfterMs } from "../../src/store/holder.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { Inside } from "../inside.ts";

/** A `claude` that says its version, and introduces itself with this account. */
function claude(inside: Inside, account: unknown, version = "2.1.332 (Claude Code)"): void {
  const line = JSON.stringify({ type: "control_response", response: { response: { account } } });
  inside.script(
    "bin/claude",
    `[ "$1" = --version ] && { echo '${version}'; exit; }`,
    "read ask",
    `echo '${line}'`,
    "cat >/dev/null",
  );
}

async function findings(inside: Inside) {
  const { ok, findings: found } = await doctor.run(inside.context("command-line"), {}, inside.call());
  const texts = found.map(({ name, ...more }): [string, unknown] => [
    name,
    JSON.parse(JSON.stringify(more), (_, value: unknown) =>
      typeof value === "string" ? inside.named(value) : value,
    ),
  ]);
  return { ok, ...Object.fromEntries(texts) } as Record<
    string,
    { ok: boolean; detail: string; remedy?: string }
  > & { ok: boolean };
}

const apiKey = { apiKeySource: "ANTHROPIC_API_KEY" };

testNeeding("programs that are scripts")("all is well", async () => {
  using inside = new Inside();
  claude(inside, apiKey);
  expect<unknown>(await findings(inside)).toEqual({
    ok: true,
    configuration: {
      ok: true,
      detail: expect.stringContaining("stateDirectory from PARALLEL_CLAUDE_STATE_DIRECTORY"),
    },
    claude: {
      ok: true,
      detail: expect.stringMatching(/^HOME\/bin\/claude, a script that \/bin\/sh runs, on the PATH/),
    },
    version: { ok: true, detail: "2.1.332" },
    session: { ok: true, detail: "Starts as a session does, and answers. No model was asked." },
    login: { ok: true, detail: "API key from ANTHROPIC_API_KEY, not tried." },
    credentials: { ok: true, detail: "None in the environment: sessions use the login." },
    state: { ok: true, detail: "STATE" },
    output: { ok: true, detail: "HOME/output, which will be created when it is needed" },
    directory: { ok: true, detail: "HOME/work, the sessions' default working directory." },
  });
});

describeNeeding("programs that are scripts")("the login", () => {
  const cases: [account: unknown, ok: boolean, detail: string][] = [
    [{ tokenSource: "x" }, true, "Token from x, not tried."],
    [
      { subscriptionType: "max", tokenSource: "none", apiKeySource: "none" },
      true,
      "Logged in (max), not tried.",
    ],
    [{ email: "a@b", tokenSource: "none" }, true, "Logged in (an account), not tried."],
    [{ tokenSource: "none" }, false, "claude is not logged in."],
    [
      { tokenSource: "none", apiKeySource: "none" },
      true,
      "Unknown: claude does not say whether it is logged in.",
    ],
    [{}, true, "Unknown: claude does not say whether it is logged in."],
    [
      { apiProvider: "bedrock", tokenSource: "none" },
      true,
      "Through bedrock, whose login is not looked at here.",
    ],
    [{ apiProvider: "firstParty", tokenSource: 3, email: "a@b" }, true, "Logged in (an account), not tried."],
    ["odd", true, "Unknown: claude does not say whether it is logged in."],
  ];
  for (const [account, ok, detail] of cases)
    test(JSON.stringify(account), async () => {
      using inside = new Inside();
      claude(inside, account);
      const { login, ok: isWell } = await findings(inside);
      expect(login).toMatchObject({ ok, detail });
      expect(isWell).toBe(ok);
    });
});

describeNeeding("programs that are scripts")("the version", () => {
  const cases: [version: string, ok: boolean, detail: string | RegExp][] = [
    ["2.0.1 (Claude Code)", false, /^2\.0\.1 is older than \d+\.\d+\.\d+, the oldest supported\.$/],
    ["2.1.197 (Claude Code)", true, /^2\.1\.197\. It lacks /],
    [
      "something",
      true,
      /^Unknown: `HOME\/bin\/claude --version` prints "something"\. \d+\.\d+\.\d+ or newer is required\.$/,
    ],
  ];
  for (const [version, ok, detail] of cases)
    test(version, async () => {
      using inside = new Inside();
      claude(inside, apiKey, version);
      const found = await findings(inside);
      expect(found["version"]).toMatchObject({ ok, detail: expect.stringMatching(detail) });
      expect("session" in found).toBe(ok);
    });

  test("of one that ends with an error", async () => {
    using inside = new Inside();
    inside.script("bin/claude", "echo first >&2; echo last >&2; exit 3");
    expect(await findings(inside)).toMatchObject({
      ok: false,
      version: { ok: false, detail: "`HOME/bin/claude --version` ended with 3: last" },
    });
    expect(await probeVersion(inside.script("bin/killed", "kill -9 $$"), inside.work)).toEqual({
      ok: false,
      message: "ended with SIGKILL: nothing on its stderr",
    });
    expect(await probeVersion(inside.file("nowhere"), inside.work)).toMatchObject({ ok: false });
  });

  testNeeding("programs that are scripts")("of a script without what runs it", async () => {
    using inside = new Inside();
    inside.write("bin/claude", "#!/usr/bin/env not-to-be-found\n");
    chmodSync(inside.claude, 0o755);
    expect(await findings(inside)).toMatchObject({
      claude: { detail: expect.stringContaining("a script that not-to-be-found runs") },
      version: {
        ok: false,
        detail:
          "HOME/bin/claude is a script that needs `not-to-be-found`, which is not on the PATH of sessions.",
      },
    });
    inside.write("bin/claude", "#!/nowhere/node --flag\n");
    expect((await findings(inside))["version"]?.detail).toContain("needs `/nowhere/node`");
  });
});

describeNeeding("programs that are scripts")("the session", () => {
  test("that ends, or says nothing of itself", async () => {
    using inside = new Inside();
    inside.script(
      "bin/claude",
      `[ "$1" = --version ] && { echo 2.1.332; exit; }`,
      "echo broken >&2",
      "exit 4",
    );
    expect(await findings(inside)).toMatchObject({
      ok: false,
      session: {
        ok: false,
        detail: "HOME/bin/claude ended with 4: broken",
        remedy: "Run `HOME/bin/claude` in a terminal and see what it says.",
      },
    });
    const noise = inside.script("bin/noise", 'echo noise; echo "{}"; read ask; exit 0');
    expect(await probeSession(noise, inside.work)).toEqual({
      ok: false,
      message: "ended with 0: nothing on its stderr",
    });
    expect(await probeSession(inside.file("nowhere"), inside.work)).toMatchObject({ ok: false });
  });
});

describe("claude itself", () => {
  testNeeding("programs that are scripts")("that is nowhere, or may not be run", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_CLAUDE_PATH: "/nowhere/claude" });
    const found = await findings(inside);
    expect(found).toMatchObject({
      ok: false,
      claude: { ok: false, detail: "The configured claudePath /nowhere/claude is not an executable file." },
    });
    expect(found).not.toHaveProperty("version");
    const dead = inside.write("bin/dead", "");
    process.env["PARALLEL_CLAUDE_CLAUDE_PATH"] = dead;
    expect((await findings(inside))["claude"]).toEqual({
      ok: false,
      detail:
        "The configured claudePath HOME/bin/dead is not an executable file.\nHOME/bin/dead is there, but may not be run.",
      remedy: "Run `chmod +x HOME/bin/dead`.",
    });
  });

  testNeeding("programs that are scripts")("that is a link, and another one", async () => {
    using inside = new Inside();
    claude(inside, apiKey);
    const second = inside.script("more/claude", "true");
    mkdirSync(inside.file("links"));
    symlinkSync(inside.claude, inside.file("links/claude"));
    process.env["PATH"] = `${inside.file("links")}:${process.env["PATH"]}:${inside.file("more")}`;
    const { detail } = (await findings(inside))["claude"] ?? { detail: "" };
    expect(detail).toStartWith(
      "HOME/links/claude (HOME/bin/claude), a script that /bin/sh runs, on the PATH\nAlso there: ",
    );
    expect(detail).toContain("HOME/more/claude");
    expect(detail).not.toContain("HOME/bin/claude,");
    expect(detail).toEndWith(". PARALLEL_CLAUDE_CLAUDE_PATH chooses another one.");
    process.env["PARALLEL_CLAUDE_CLAUDE_PATH"] = second;
    expect((await findings(inside))["claude"]?.detail).not.toContain("Also there");
  });
});

describe("credentials", () => {
  const key = { ANTHROPIC_API_KEY: "secret" };
  const alone =
    "ANTHROPIC_API_KEY in the environment: sessions are billed to that, and not to a subscription's login.";
  const both = (file: string) =>
    `ANTHROPIC_API_KEY in the environment, and a login in HOME/claude/${file}: sessions are billed to the former, not to the login's subscription.`;
  const cases: [
    what: string,
    environment: Record<string, string>,
    file: [string, string] | undefined,
    detail: string,
  ][] = [
    ["of the environment", key, undefined, alone],
    ["beside a login", key, [".credentials.json", "{}"], both(".credentials.json")],
    ["beside the account of a login", key, [".claude.json", '{"oauthAccount": {}}'], both(".claude.json")],
    ["beside a file without an account", key, [".claude.json", "{}"], alone],
    ["beside a broken file", key, [".claude.json", "{"], alone],
    [
      "that are empty",
      { ANTHROPIC_API_KEY: "" },
      [".credentials.json", "{}"],
      "None in the environment: sessions use the login.",
    ],
    [
      "for another address",
      { ANTHROPIC_BASE_URL: "https://x", CLAUDE_CODE_OAUTH_TOKEN: "t", AWS_BEARER_TOKEN_BEDROCK: "b" },
      undefined,
      "AWS_BEARER_TOKEN_BEDROCK, CLAUDE_CODE_OAUTH_TOKEN in the environment: sessions are billed to that, and not to a subscription's login. ANTHROPIC_BASE_URL is set.",
    ],
  ];
  for (const [what, environment, file, detail] of cases)
    test(what, async () => {
      using inside = new Inside(environment);
      if (file) inside.write(`claude/${file[0]}`, file[1]);
      expect((await findings(inside))["credentials"]?.detail).toBe(detail);
    });
});

describe("places", () => {
  test("that are made already, or bring settings along", async () => {
    using inside = new Inside();
    mkdirSync(inside.output);
    inside.write("work/.claude/settings.json", '{"permissions": {"defaultMode": "bypassPermissions"}}');
    const found = await findings(inside);
    expect(found["output"]).toEqual({ ok: true, detail: "HOME/output" });
    expect(found["directory"]).toEqual({
      ok: true,
      detail: expect.stringMatching(
        /^HOME\/work, the sessions' default working directory\. .*settings\.json/,
      ),
      remedy:
        "Look into these files before you let sessions work there, or ignore them with `--setting-sources user`.",
    });
  });

  test("that cannot be used", async () => {
    using inside = new Inside();
    const file = inside.write("file", "");
    process.env["PARALLEL_CLAUDE_OUTPUT_DIRECTORY"] = file;
    process.env["PARALLEL_CLAUDE_WORKING_DIRECTORY"] = file;
    const found = await findings(inside);
    expect(found["output"]).toEqual({
      ok: false,
      detail: "HOME/file cannot be written: HOME/file is not a directory.",
      remedy: "Set PARALLEL_CLAUDE_OUTPUT_DIRECTORY to a directory that you can write.",
    });
    expect(found["directory"]).toMatchObject({ ok: false, detail: "HOME/file is not a directory." });
    for (const directory of [resolve("/"), tmpdir()]) {
      process.env["PARALLEL_CLAUDE_WORKING_DIRECTORY"] = directory;
      expect((await findings(inside))["directory"]).toEqual({
        ok: false,
        detail: `${inside.named(directory)} is outside the allowed roots (HOME).`,
        remedy:
          "Give `workingDirectory` with each call, set PARALLEL_CLAUDE_WORKING_DIRECTORY, or add to `allowedRoots` in HOME/config/parallel-claude-code-mcp/config.json.",
      });
    }
    process.env["PARALLEL_CLAUDE_ALLOWED_ROOTS"] = resolve("/");
    process.env["PARALLEL_CLAUDE_WORKING_DIRECTORY"] = resolve("/");
    expect((await findings(inside))["directory"]?.ok).toBe(false);
    process.env["PARALLEL_CLAUDE_STATE_DIRECTORY"] = file;
    const state = (await findings(inside))["state"];
    expect(state?.ok).toBe(false);
    expect(state?.detail).toContain("HOME/file");
    expect(state?.remedy).toMatch(/^(?:Set|Check|Move|Update) /);
  });
});

describe("the configuration", () => {
  test("that is broken, and names without effect", async () => {
    using inside = new Inside({ PARALLEL_CLAUDE_MAX_DEPTH: "deep", PARALLEL_CLAUDE_CONCURENCY: "2" });
    const broken = await findings(inside);
    expect(broken["configuration"]).toMatchObject({
      ok: false,
      detail: expect.stringMatching(
        /^PARALLEL_CLAUDE_MAX_DEPTH was given as .*\nthe variable PARALLEL_CLAUDE_CONCURENCY /,
      ),
    });
    for (const name of ["holds", "batch"]) expect(broken).not.toHaveProperty(name);
    delete process.env["PARALLEL_CLAUDE_MAX_DEPTH"];
    expect((await findings(inside))["configuration"]).toMatchObject({
      ok: true,
      detail: expect.stringContaining("\nthe variable PARALLEL_CLAUDE_CONCURENCY is not known"),
      remedy: "Correct the name, or remove it if it belongs to another version of this program.",
    });
  });
});

describe("batches", () => {
  testNeeding("a system other than Windows")(
    "that are interrupted, or run where nobody can look",
    async () => {
      using inside = new Inside();
      const context = inside.context();
      const lost = inside.batch(context, { tasks: 2, isRun: false });
      inside.batch(context).start(1);
      inside.batch(context).answer(1, "yes").finish();
      const { findings: found } = await doctor.run(inside.context("command-line"), {}, inside.call());
      expect(found.filter(({ name }) => name === "batch")).toEqual([
        {
          name: "batch",
          ok: true,
          detail: `${lost.id} is interrupted, with 2 tasks to do. Its processes are gone.`,
          remedy: `Resume it with \`parallel-claude-code-mcp retry ${lost.id}\`, or end it with \`parallel-claude-code-mcp cancel ${lost.id}\`.`,
        },
      ]);
      const far = inside.batch(context, { isRun: false });
      const runner = JSON.stringify({ ...ownIdentity(), namespace: "of another container" });
      const sees = async (agoMs: number) => {
        context.store.database.run("UPDATE batches SET runner = ?, alive_at = ? WHERE batch_id = ?", [
          runner,
          Date.now() - agoMs,
          far.id,
        ]);
        const { findings: all } = await doctor.run(inside.context("command-line"), {}, inside.call());
        return all.find(({ name, detail }) => name === "batch" && detail.startsWith(far.id));
      };
      expect(await sees(1_000)).toMatchObject({
        ok: true,
        detail: expect.stringContaining("has 1 task to do. Its processes are in another container"),
      });
      expect(await sees(45_000)).toMatchObject({ ok: false });
      expect(await sees(staleAfterMs + 60_000)).toMatchObject({
        ok: true,
        detail: expect.stringContaining("is interrupted, with 1 task to do."),
      });
    },
  );
});

describe("the version before a start", () => {
  testNeeding("programs that are scripts")(
    "is asked once a file, and again of one that is remembered as older than what is needed",
    async () => {
      using inside = new Inside();
      const context = inside.context();
      context.store.list();
      const log = inside.file("asked");
      const asked = async (needed?: string) => {
        const check = await checkVersion(context, inside.claude, needed);
        check.keep();
        const count = (await Bun.file(log).exists()) ? (await Bun.file(log).text()).length : 0;
        return { version: check.version, fault: check.fault, count };
      };
      const says = (version: string) =>
        inside.script("bin/claude", `printf x >>${log}`, `echo "${version} (Claude Code)"`);
      says("2.1.300");
      expect(await asked()).toEqual({ version: "2.1.300", fault: undefined, count: 1 });
      expect(await asked()).toEqual({ version: "2.1.300", fault: undefined, count: 1 });
      expect(await asked("2.1.300")).toMatchObject({ count: 1 });
      expect(await asked("2.1.301")).toEqual({ version: "2.1.300", fault: undefined, count: 2 });
      says("no-version-at-all");
      expect(await asked()).toEqual({ version: undefined, fault: undefined, count: 3 });
      expect(await asked()).toMatchObject({ count: 4 });
      says("2.0.5");
      expect(await asked()).toMatchObject({
        version: "2.0.5",
        fault: expect.stringContaining("2.0.5"),
        count: 5,
      });
      expect(await asked()).toMatchObject({ fault: expect.stringContaining("2.0.5"), count: 6 });
    },
  );

  test("makes no store by looking", async () => {
    using inside = new Inside();
    const context = inside.context();
    const check = await checkVersion(context, inside.claude);
    expect(check.version).toBe("2.1.332");
    expect(context.openedStore).toBeUndefined();
    check.keep();
    expect(context.openedStore).toBeDefined();
  });
});
