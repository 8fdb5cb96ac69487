// A worker decides for itself what tasks may do, whoever has signed them.
import { describe, expect, test } from "bun:test";
import { refusal } from "../../src/fleet/policy.ts";
import type { Work } from "../../src/fleet/work.ts";
import { urlTrouble } from "../../src/git/remote.ts";
import { policyOfOption, workerPolicy } from "../../src/model/fleet.ts";
import { sessionOptions } from "../../src/model/options.ts";

const empty: Work = { kind: "empty" };
const commit = "a".repeat(40);

function git(url: string, below = ""): Work {
  return { kind: "git", url, commit, head: commit, below };
}

function refused(
  spec: Record<string, unknown>,
  policy: Record<string, unknown> = {},
  work: Work = empty,
  budgetUsd?: number,
): string | undefined {
  return refusal({ spec: { task: "x", ...spec }, work, budgetUsd }, workerPolicy.parse(policy));
}

test("a worker without a policy runs a task without files, with any tools", () => {
  expect(
    refused({ tools: "Read,Bash", allowedTools: "Bash", model: "opus", permissionMode: "acceptEdits" }),
  ).toBe(undefined);
});

test("the defaults of all options ask for nothing", () => {
  expect(refused(sessionOptions.parse({}))).toBe(undefined);
});

const commands: [string, unknown][] = [
  ["settings", { hooks: {} }],
  ["mcpConfig", { mcpServers: { x: { command: "sh" } } }],
  ["agents", { reviewer: { description: "d", prompt: "p" } }],
  ["agent", "reviewer"],
  ["claudeArguments", ["--betas=x"]],
  ["slashCommands", true],
];
test.each(commands)("%s needs to be in the policy", (name, value) => {
  expect(refused({ [name]: value })).toContain(`lets no task use \`${name}\``);
  expect(refused({ [name]: value }, { options: [name] })).toBe(undefined);
});

const never: [string, unknown][] = [
  ["env", { A: "b" }],
  ["workingDirectory", "/etc"],
  ["resumeSessionId", "x"],
  ["outputDirectory", "/etc"],
  ["constructor", "x"],
  ["anythingElse", "x"],
];
test.each(never)("%s is refused whatever the policy", (name, value) => {
  const options = ["agent", "agents", "claudeArguments", "mcpConfig", "settings", "slashCommands"];
  expect(refused({ [name]: value }, { options, repositories: ["*"] })).toBe(
    `A worker takes no \`${name}\` from a task.`,
  );
});

test("each option of a session is in exactly one class", () => {
  expect(Object.keys(policyOfOption).sort()).toEqual(Object.keys(sessionOptions.shape).sort());
});

describe("places", () => {
  test("no repository and no directory is allowed by default", () => {
    expect(refused({}, {}, git("https://github.com/acme/shop"))).toContain("does not list the repository");
    expect(refused({}, {}, { kind: "shared", path: "/srv/a" })).toContain("does not list the directory");
  });

  const repositories = ["https://github.com/acme/*", "git@example.com:one.git"];
  test.each([
    ["https://github.com/acme/shop.git", true],
    ["git@example.com:one.git", true],
    ["https://github.com/acme", false],
    ["https://github.com/acmes/shop", false],
    ["https://evil.example/https://github.com/acme/x", false],
    ["git@example.comxone.git", false],
  ])("%s is listed: %p", (url, isListed) => {
    expect(refused({}, { repositories }, git(url)) === undefined).toBe(isListed);
  });

  test("a repository on the worker's own disk must be listed by its path", () => {
    expect(refused({}, { repositories: ["*"] }, git("/srv/git/a.git"))).toContain("does not list");
    expect(refused({}, { repositories: ["*"] }, git("file:///srv/git/a.git"))).toContain("does not list");
    expect(refused({}, { repositories: ["/srv/git/*"] }, git("/srv/git/a.git"))).toBe(undefined);
  });

  test.each([
    "ext::sh -c id",
    "--upload-pack=/bin/sh",
    "-x",
    "fd::3",
    "https://github.com/acme/../evil/x",
    "https://github.com/acme/%2e%2e/evil",
    "https://github.com/acme/a b",
    "https://me:secret@github.com/acme/x",
    "https://token@github.com/acme/x",
    "ssh://me:secret@github.com/acme/x",
    "https://github.com/acme/x?private_token=secret",
    "",
  ])("%j is no address, even where all are allowed", (url) => {
    expect(urlTrouble(url)).toBeString();
    expect(refused({}, { repositories: ["*"] }, git(url))).toBeString();
  });

  test.each(["../other", "a/../../b", "/etc", "a\\..\\b"])("%s leaves the repository", (below) => {
    expect(refused({}, { repositories: ["*"] }, git("https://x.example/a", below))).toContain("leaves");
  });

  const directories = ["/srv/work"];
  test.each([
    ["/srv/work", true],
    ["/srv/work/a", true],
    ["/srv/work/../secret", false],
    ["/srv/workers", false],
    ["srv/work", false],
  ])("a shared directory %s is inside: %p", (path, isInside) => {
    expect(refused({}, { directories }, { kind: "shared", path }) === undefined).toBe(isInside);
    expect(refused({ addDirectories: [path] }, { directories }) === undefined).toBe(isInside);
  });
});

describe("tools", () => {
  const policy = { tools: ["Read", "Grep", "Bash(git log:*)"], projectSettings: true };
  test.each([
    [{ tools: "Read" }, true],
    [{ tools: ["Read", "Bash"], allowedTools: "Bash(git log:*)" }, true],
    [{ tools: "Read,Grep", allowedTools: "Read(src/**)" }, true],
    [{ tools: "" }, true],
    [{}, false],
    [{ tools: "default" }, false],
    [{ tools: "Read,Edit" }, false],
    [{ tools: "Read", allowedTools: "Read(//etc/**)" }, false],
    [{ tools: "Read", allowedTools: "Read(~/.ssh/**)" }, false],
    [{ tools: "Read", allowedTools: "Read(src/../../x)" }, false],
    [{ tools: "Read", allowedTools: "Bash" }, false],
    [{ tools: "Read", allowedTools: ["Read", "Bash(git push:*)"] }, false],
    [{ tools: 7 }, false],
    [{ tools: "Read", permissionMode: "bypassPermissions" }, false],
  ])("%j is allowed: %p", (spec, isAllowed) => {
    expect(refused(spec, policy) === undefined).toBe(isAllowed);
  });

  test("where tools are limited, the repository's own settings must not be read", () => {
    const limited = { tools: ["Read"] };
    expect(refused({ tools: "Read" }, limited)).toContain("settingSources");
    expect(refused({ tools: "Read", settingSources: "user,project" }, limited)).toContain("settingSources");
    expect(refused({ tools: "Read", settingSources: ["local"] }, limited)).toContain("settingSources");
    expect(refused({ tools: "Read", settingSources: "user" }, limited)).toBe(undefined);
    expect(refused({ tools: "Read", settingSources: "" }, limited)).toBe(undefined);
    expect(refused({ tools: "Read", restricted: true }, limited)).toBe(undefined);
    expect(refused({ settingSources: "user,project" })).toBe(undefined);
    expect(refused({}, { projectSettings: false })).toContain("settingSources");
  });
});

test("a permission mode must be listed; bypassing is not by default", () => {
  expect(refused({ permissionMode: "bypassPermissions" })).toContain("bypassPermissions");
  expect(refused({ permissionMode: "auto" })).toContain("auto");
  expect(refused({ permissionMode: "auto" }, { permissionModes: ["auto"] })).toBe(undefined);
});

test("a task that names no permission mode has the default one", () => {
  expect(refused({}, { permissionModes: ["plan"] })).toContain("default");
  expect(refused({}, { permissionModes: ["default"] })).toBe(undefined);
});

test("models must be listed, fallbacks too", () => {
  const models = ["haiku", "sonnet"];
  expect(refused({ model: "haiku", fallbackModel: "sonnet" }, { models })).toBe(undefined);
  expect(refused({ model: "haiku", fallbackModel: "sonnet, opus" }, { models })).toContain("opus");
  expect(refused({}, { models })).toContain("must name its own");
  expect(refused({ model: " " }, { models })).toContain("must name its own");
  const judged = (expected: object) => refused({ model: "sonnet", expect: expected }, { models });
  expect(judged({ question: "Is it right?" })).toBe(undefined);
  expect(judged({ question: "Is it right?", model: "opus" })).toContain("asks opus");
});

test("a task needs a budget of at most the worker's, its own or the batch's", () => {
  const limit = { maxBudgetUsd: 2 };
  expect(refused({}, limit)).toContain("at most 2 USD");
  expect(refused({ maxBudgetUsd: 2.5 }, limit)).toContain("at most 2 USD");
  expect(refused({ maxBudgetUsd: 2 }, limit)).toBe(undefined);
  expect(refused({}, limit, empty, 1)).toBe(undefined);
  expect(refused({ maxBudgetUsd: "1" }, limit)).toContain("at most 2 USD");
});

test("no file of the worker is read for a task", () => {
  expect(refused({ outputSchema: "/etc/passwd" })).toContain("outputSchema");
  expect(refused({ outputSchema: { type: "object" } })).toBe(undefined);
  expect(refused({ expect: { schema: "/etc/passwd" } })).toContain("expect.schema");
  expect(refused({ expect: { schema: { type: "object" } } })).toBe(undefined);
  expect(refused({ mcpConfig: "/etc/x.json" }, { options: ["mcpConfig"] })).toContain("mcpConfig");
});

test("a command that checks an answer is refused", () => {
  expect(refused({ expect: { command: "sh -c id" } })).toContain("command");
  expect(refused({ expect: { Command: "sh -c id" } })).toContain("Command");
  expect(refused({ expect: '{"command":"sh -c id"}' })).toContain("no object");
  expect(refused({ expect: { pattern: "ok" } })).toBe(undefined);
});
