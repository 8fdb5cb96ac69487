// The declaration of settings.
import { describe, expect, test } from "bun:test";
import {
  commandWords,
  configurationSchema,
  isGiven,
  settingNames,
  variableOf,
} from "../../src/model/configuration.ts";

test("what is not set has these values", () => {
  expect(configurationSchema.parse({})).toEqual({
    allowBypassPermissions: false,
    allowClaudeArguments: false,
    allowCheckCommands: false,
    allowRemoteHttp: false,
    outputDirectory: "~/Desktop/claude-code-results",
    outputLayout: "flat",
    retainConversations: true,
    retainOutput: true,
    concurrency: "auto",
    hostLeaseSeconds: 60,
    hostSource: "auto",
    loginProofSeconds: 10,
    loginPatienceSeconds: 86_400,
    maxDepth: 1,
    sharedDaemons: expect.arrayContaining(["gpg-agent", "java *GradleDaemon*", "ssh: * [mux]"]),
    notifications: true,
    reuseDays: 30,
    reuseLimitMb: 1_000,
    syncWaitSeconds: 45,
  });
});

const limits: [string, unknown[], unknown[]][] = [
  ["memoryLimitMb", [1], [0, 1.5]],
  ["hosts", [["box1", "me@box2:22"], []], ["box1", [""]]],
  ["hostLeaseSeconds", [1, 86_400], [0, 86_401]],
  ["hostSource", ["auto", "here"], ["", "bundle"]],
  ["loginProofSeconds", [0, 3_600], [-1, 3_601]],
  ["loginPatienceSeconds", [0, 2_592_000], [-1, 2_592_001]],
  ["maxDepth", [1, 10], [0, 11]],
  ["retainDays", [1, 36_500], [0, 36_501]],
  ["syncWaitSeconds", [1, 86_400], [0, 86_401]],
  ["batchBudgetUsd", [0.5], [0]],
  ["allowedRoots", [["/a"], []], ["/a", [""]]],
  ["sharedDaemons", [["gpg-agent"], []], ["gpg-agent", [""]]],
  ["notifyCommand", ["mail me", ["mail", "me"]], ["", [], [""]]],
  ["stateDirectory", ["/s"], [""]],
];
test.each(limits)("the limits of %s", (name, good, bad) => {
  for (const value of good) expect(configurationSchema.safeParse({ [name]: value }).success).toBe(true);
  for (const value of bad) expect(configurationSchema.safeParse({ [name]: value }).success).toBe(false);
});

test("a setting has a variable, and each name is one", () => {
  expect(variableOf("claudePath")).toBe("PARALLEL_CLAUDE_CLAUDE_PATH");
  expect(variableOf("concurrency")).toBe("PARALLEL_CLAUDE_CONCURRENCY");
  expect(settingNames).toContain("notifyCommand");
  expect(settingNames.length).toBe(Object.keys(configurationSchema.shape).length);
});

describe("a variable", () => {
  test.each([undefined, "", "  ", "null", " undefined ", `\${user_config.concurrency}`])(
    "%j is not given",
    (text) => {
      expect(isGiven(text)).toBe(false);
    },
  );
  test.each(["0", "no", "nullify", `\${HOME}`, `x \${user_config.a}`])("%j is given", (text) => {
    expect(isGiven(text)).toBe(true);
  });
});

test.each([
  ["mail me", ["mail", "me"]],
  [`a "b c" 'd e'`, ["a", "b c", "d e"]],
  [`--to="me and you"`, ["--to=me and you"]],
  [`"" a`, ["", "a"]],
  ["  ", []],
  [
    ["a b", "c"],
    ["a b", "c"],
  ],
])("the command %j has the words %j", (command, words) => {
  expect(commandWords(command)).toEqual(words);
});
