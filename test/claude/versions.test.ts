// Versions of Claude Code, and environments of its sessions.
import { describe, expect, test } from "bun:test";
import { delimiter, resolve } from "node:path";
import {
  cleanEnvironment,
  depthOf,
  refusedVariable,
  sessionEnvironment,
} from "../../src/claude/environment.ts";
import { decidesLogin } from "../../src/claude/login-variables.ts";
import { refusalsIn } from "../../src/claude/refusals.ts";
import {
  isOlder,
  isTooOld,
  lacksOf,
  notableVersions,
  oldestVersion,
  tooOldText,
  versionChanges,
  versionIn,
} from "../../src/claude/versions.ts";
import { startText } from "../../src/model/shell-quoted.ts";

describe("a version", () => {
  test("is read from what claude prints", () => {
    expect(versionIn("2.1.332 (Claude Code)\n")).toBe("2.1.332");
    expect(versionIn("a wrapper\n2.1.332-beta.1 (Claude Code)")).toBe("2.1.332-beta.1");
    expect(versionIn("2.1.332")).toBeUndefined();
  });

  test("comes before another by its numbers", () => {
    expect(isOlder("2.1.99", "2.1.197")).toBe(true);
    expect(isOlder("2.1.197", "2.1.197")).toBe(false);
    expect(isOlder("2.2.0", "2.1.999")).toBe(false);
  });

  test("is too old before the oldest that is supported; one that is not known is not", () => {
    expect(isTooOld("2.1.196")).toBe(true);
    expect(isTooOld(oldestVersion)).toBe(false);
    expect(isTooOld(undefined)).toBe(false);
    expect(tooOldText("2.1.1", "/my bin/claude")).toBe(
      `/my bin/claude is Claude Code 2.1.1, and 2.1.197 or newer is required. Run ${startText("/my bin/claude", { args: "update" })}, or reinstall it: \`npm install -g @anthropic-ai/claude-code\`.`,
    );
  });

  test("lacks what came later", () => {
    expect(lacksOf("99.0.0")).toEqual([]);
    expect(lacksOf("2.1.309")).toEqual(["warnings of unsaved conversations (since 2.1.317)"]);
    expect(lacksOf("2.1.316")).toEqual(["warnings of unsaved conversations (since 2.1.317)"]);
    expect(lacksOf("2.1.308")).toHaveLength(2);
  });

  test("that changed something stands in order, and once", () => {
    const versions = notableVersions();
    expect(versions[0]).toBe(oldestVersion);
    expect(versions).toHaveLength(new Set(versions).size);
    expect(versions.slice(1)).toEqual(versionChanges.map(({ since }) => since));
    for (const [index, version] of versions.slice(1).entries())
      expect(isOlder(versions[index] ?? "", version)).toBe(true);
  });
});

describe("the environment of what we start", () => {
  const outer = {
    CLAUDECODE: "1",
    CLAUDE_BG_X: "1",
    CLAUDE_CODE_RESUME_X: "1",
    BUN_OPTIONS: "x",
    NODE_OPTIONS: "x",
  };

  test("has nothing of a session around us, of Bun, or without a value", () => {
    const user = { HOME: "/home/me", CLAUDE_CODE_USE_BEDROCK: "1", PARALLEL_CLAUDE_CONCURRENCY: "3" };
    expect(
      cleanEnvironment({ ...outer, ...user, PARALLEL_CLAUDE_ATTEMPT: "m", EMPTY: "", NONE: undefined }),
    ).toEqual({
      ...user,
      EMPTY: "",
    });
  });

  test("of a session has nothing of ours but how deep it is", () => {
    const directory = resolve("/bin");
    const environment = sessionEnvironment({
      ...outer,
      HOME: "/home/me",
      PATH: directory,
      PARALLEL_CLAUDE_CONCURRENCY: "3",
    });
    expect(environment).toMatchObject({
      HOME: "/home/me",
      PARALLEL_CLAUDE_DEPTH: "1",
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_STARTUP_FAILURE_RESULTS: "1",
      CLAUDE_CODE_PRINT_BG_WAIT_CEILING_MS: "0",
    });
    expect(Object.keys(environment).filter((name) => name.startsWith("PARALLEL_CLAUDE_"))).toEqual([
      "PARALLEL_CLAUDE_DEPTH",
    ]);
    const path = environment["PATH"]?.split(delimiter) ?? [];
    expect(path[0]).toBe(directory);
    expect(path).toHaveLength(new Set(path).size);
    expect(sessionEnvironment({ DISABLE_AUTOUPDATER: "0" })["DISABLE_AUTOUPDATER"]).toBe("0");
  });

  test.each([
    [undefined, 0],
    ["0", 0],
    ["2", 2],
    ["999", 999],
    ["1000", 1],
    ["-1", 1],
    ["x", 1],
  ])("with a depth of %p is %d deep", (text, depth) => {
    expect(depthOf(text === undefined ? {} : { PARALLEL_CLAUDE_DEPTH: text })).toBe(depth);
  });
});

describe("a variable that a task sets", () => {
  test.each(["MY_TOKEN", "_x", "NODE_ENV", "LANG"])("%s is taken", (name) => {
    expect(refusedVariable(name)).toBeUndefined();
  });

  test.each([
    ["1A", "begins with no digit"],
    ["A-B", "letters, digits"],
    ["__proto__", "letters, digits"],
    ["PARALLEL_CLAUDE_X", "identify its sessions"],
    ["CLAUDECODE", "child processes"],
    ["BUN_INSTALL", "change `claude` itself"],
    ["NODE_OPTIONS", "change `claude` itself"],
    ["LD_PRELOAD", "loads code"],
    ["DYLD_INSERT_LIBRARIES", "loads code"],
    ["Path", "absolute directories only"],
    ["ANTHROPIC_API_KEY", "which login"],
    ["https_proxy", "which login"],
  ])("%s is refused: %s", (name, reason) => {
    expect(refusedVariable(name)).toContain(reason);
  });

  test("is set by an option where there is one", () => {
    expect(refusedVariable("CLAUDE_CODE_DISABLE_FILE_MENTIONS")).toEqual({ option: "fileMentions" });
  });

  test("decides the login where a provider, a proxy or a certificate is named", () => {
    for (const name of [
      "AWS_PROFILE",
      "CLAUDE_CODE_USE_VERTEX",
      "HOME",
      "no_proxy",
      "SSL_CERT_FILE",
      "NODE_TLS_REJECT_UNAUTHORIZED",
    ])
      expect(decidesLogin(name)).toBe(true);
    for (const name of ["HOMEPAGE", "MY_AWS_PROFILE", "NODE_ENV", "PROXY"])
      expect(decidesLogin(name)).toBe(false);
  });
});

describe("a tool result that is a refusal", () => {
  const result = (more: object) => ({
    type: "tool_result",
    tool_use_id: "t1",
    is_error: true,
    content: "no",
    ...more,
  });
  const message = (content: unknown[], meta?: unknown) => ({
    message: { content },
    ...(meta === undefined ? {} : { tool_result_meta: meta }),
  });

  test("has its text, and who decided", () => {
    expect(refusalsIn(message([result({})]))).toEqual([{ id: "t1", message: "no", byHook: false }]);
    const hook = [{ id: "t1", permission_decision: { source: "hook" } }];
    expect(refusalsIn(message([result({})], hook))).toEqual([{ id: "t1", message: "no", byHook: true }]);
    const other = [
      { id: "t2", permission_decision: { source: "hook" } },
      { id: "t1", permission_decision: { source: "rule" } },
    ];
    expect(refusalsIn(message([result({})], other))[0]?.byHook).toBe(false);
  });

  test("may have several blocks, and is cut", () => {
    const blocks = [{ type: "text", text: "a" }, { type: "image" }, { type: "text", text: "b" }];
    expect(refusalsIn(message([result({ content: blocks })]))[0]?.message).toBe("a\n\nb");
    expect(refusalsIn(message([result({ content: "x".repeat(2_000) })]))[0]?.message).toHaveLength(1_000);
  });

  test("is no result that went well, and nothing else", () => {
    expect(refusalsIn(message([result({ is_error: false }), { type: "text", text: "a" }]))).toEqual([]);
    for (const other of [undefined, "text", { message: { content: "text" } }, {}])
      expect(refusalsIn(other)).toEqual([]);
  });
});
