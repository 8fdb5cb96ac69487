// The declaration of options: what is accepted, where it ends, and what holds where nothing is said.
import { describe, expect, test } from "bun:test";
import {
  batchOptions,
  concurrency,
  mostPromptBytes,
  noChanges,
  prompt,
  retryOptions,
  secretOptions,
  sessionOptions,
  settingSourceList,
  toolRuleList,
} from "../../src/model/options.ts";

test("what is not said has these values, and the rest is left to claude", () => {
  expect(sessionOptions.parse({})).toEqual({
    restricted: false,
    fileMentions: true,
    forkSession: false,
    slashCommands: false,
    reuseSessions: "never",
    retries: 1,
    firstEventTimeoutSeconds: 120,
    idleTimeoutSeconds: 1_200,
    backgroundWaitSeconds: 30,
    timeoutSeconds: 3_600,
  });
  expect(batchOptions.parse({})).toEqual({ failureMode: "continue", fresh: false, asyncMode: false });
});

describe("the limits of", () => {
  const session: [string, unknown[], unknown[]][] = [
    ["retries", [0, 10], [-1, 11, 1.5]],
    ["maxTurns", [1, 100_000], [0, 1.5]],
    ["maxBudgetUsd", [0.01], [0, -1]],
    ["backgroundWaitSeconds", [0, 604_800], [-1, 604_801]],
    ["timeoutSeconds", [0.5, 604_800], [0, 604_801]],
    ["idleTimeoutSeconds", [1], [0]],
    ["firstEventTimeoutSeconds", [1], [0]],
    ["name", ["a", "x".repeat(200)], ["", "x".repeat(201)]],
    ["effort", ["low", "max"], ["most"]],
    ["permissionMode", ["plan", "bypassPermissions"], ["none"]],
    ["settingSources", ["user,project", "user local", "", ["local"], []], ["all", ["all"]]],
    ["mcpConfig", ["file.json", { mcpServers: {} }], ["", 1]],
    ["env", ["file.json", { A: "1" }], ["", { A: 1 }]],
    ["agents", [{ reviewer: {} }], ["reviewer", []]],
    ["allowedTools", ["Read,Edit", ["Read"], ""], [1, [1]]],
    ["addDirectories", [["lib"]], ["lib", [""]]],
    ["resumeSessionId", ["id"], [""]],
  ];
  test.each(session)("%s", (name, good, bad) => {
    for (const value of good) expect(sessionOptions.safeParse({ [name]: value }).success).toBe(true);
    for (const value of bad) expect(sessionOptions.safeParse({ [name]: value }).success).toBe(false);
  });

  const ofBatch: [string, unknown[], unknown[]][] = [
    ["batchName", ["a", "x".repeat(200)], ["", "x".repeat(201)]],
    ["batchBudgetUsd", [0.01], [0, -1]],
    ["failureMode", ["continue", "no-new", "cancel"], ["stop"]],
    ["outputDirectory", ["out"], [""]],
    ["concurrency", [1, 10_000, "auto"], [0, 10_001, 1.5, "all"]],
  ];
  test.each(ofBatch)("%s", (name, good, bad) => {
    for (const value of good) expect(batchOptions.safeParse({ [name]: value }).success).toBe(true);
    for (const value of bad) expect(batchOptions.safeParse({ [name]: value }).success).toBe(false);
  });

  test("a prompt", () => {
    expect(prompt.safeParse("x".repeat(mostPromptBytes)).success).toBe(true);
    // Bytes and not characters: this one has two.
    expect(prompt.safeParse(`${"x".repeat(mostPromptBytes - 1)}ä`).success).toBe(false);
    expect(prompt.safeParse(" \n").error?.issues[0]?.message).toBe("must not be empty");
    expect(prompt.safeParse("x".repeat(mostPromptBytes + 1)).error?.issues[0]?.message).toBe(
      "at most 9 MB; put longer text in a file",
    );
  });
});

test("a name that is no option is refused", () => {
  expect(sessionOptions.safeParse({ nothing: 1 }).success).toBe(false);
  expect(batchOptions.safeParse({ model: "opus" }).success).toBe(false);
  expect(concurrency.parse("auto")).toBe("auto");
});

test.each([
  ["Read,Edit", ["Read", "Edit"]],
  ["Read Edit\nWrite", ["Read", "Edit", "Write"]],
  [" , Read,, ", ["Read"]],
  ["", []],
  ["Bash(git log:*, a b),Read", ["Bash(git log:*, a b)", "Read"]],
  ["Bash(f(1, 2)),Read", ["Bash(f(1, 2))", "Read"]],
  ["a),b", ["a)", "b"]],
  ["Bash(git log,Read", ["Bash(git log,Read"]],
  [
    ["Read,Edit", "Bash(a, b)"],
    ["Read", "Edit", "Bash(a, b)"],
  ],
])("the rules in %j are %j", (given, rules) => {
  expect(toolRuleList(given)).toEqual(rules);
});

test("the sources of settings are read from a text and from a list", () => {
  expect(settingSourceList("user,project")).toEqual(["user", "project"]);
  expect(settingSourceList(["local"])).toEqual(["local"]);
  expect(() => settingSourceList("all")).toThrow();
});

test("a retry can change what a session does, and of the batch what is still to come; nothing has a default", () => {
  const changes = { model: "opus", retries: 0, batchBudgetUsd: 9, concurrency: 3, failureMode: "cancel" };
  expect<unknown>(retryOptions.parse(changes)).toEqual(changes);
  expect<unknown>(retryOptions.parse({ concurrency: "auto" })).toEqual({ concurrency: "auto" });
  expect(retryOptions.parse({})).toEqual(noChanges);
  for (const fixed of [
    { env: { A: "1" } },
    { outputDirectory: "out" },
    { batchName: "x" },
    { asyncMode: true },
  ])
    expect(retryOptions.safeParse(fixed).success).toBe(false);
  expect(secretOptions).toEqual(["env"]);
});

test("a prompt is taken as it is, word for word", () => {
  expect(prompt.meta()).toMatchObject({ verbatim: true });
});
