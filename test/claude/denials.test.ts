// What lets a denied call through. The real `claude` agrees: test/real/advice.real.ts.
import { describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { GivenOptions } from "../../src/claude/call-context.ts";
import { denialsOf } from "../../src/claude/denials.ts";
import { pathInRules } from "../../src/claude/file-access.ts";
import { refusalsIn } from "../../src/claude/refusals.ts";
import { shellCommandOf } from "../../src/claude/shell-command.ts";
import { advisedOptions } from "../../src/model/advised-options.ts";
import { denial, type Remedy } from "../../src/model/outcome.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";
import { resultMessage } from "./result-message.ts";

const bash = (command: string, given: GivenOptions = {}, message = "This command requires approval") =>
  denied({ tool_name: "Bash", tool_input: { command } }, given, message)?.remedy;

function denied(
  call: { tool_name: string; tool_input: Record<string, unknown> },
  given: GivenOptions = {},
  message = "",
) {
  return denialsOf(
    {
      results: [resultMessage({ permission_denials: [{ ...call, tool_use_id: "t1" }] })],
      init: { type: "system", subtype: "init", cwd: "/w", mcp_servers: [] },
      refusals: new Map([["t1", { id: "t1", message, byHook: false }]]),
    },
    given,
  )[0];
}

const rules = (...allowedTools: string[]): Remedy => ({ kind: "options", allowedTools });

describe("the narrowest rule that is of use for a command", () => {
  test.each([
    ["git push -q origin", "Bash(git push:*)"],
    ["git -C sub commit -m 'a (b)'", "Bash(git -C sub commit:*)"],
    ["npm run test:unit -- --watch", "Bash(npm run test:unit:*)"],
    ["bun run test", "Bash(bun run test:*)"],
    ["docker compose up -d", "Bash(docker compose up:*)"],
    ["python3 -m pytest -q", "Bash(python3 -m pytest:*)"],
    ["python3 -u script.py 1", "Bash(python3 -u script.py:*)"],
    ["bash ../script.sh 1", "Bash(bash ../script.sh:*)"],
    ["uv run --with requests python x.py", "Bash(uv run --with requests python x.py:*)"],
    ["sudo -u me apt install x", "Bash(sudo -u me apt install:*)"],
    ["env -u A B=1 touch x", "Bash(env -u A B=1 touch:*)"],
    ["command touch x", "Bash(command touch:*)"],
    ["timeout -k 1 5s nice -n 5 cargo build", "Bash(cargo build:*)"],
    ["time -p npm test", "Bash(npm test:*)"],
    ["timeout -s KILL 5 npm test", "Bash(npm test:*)"],
    ["timeout --signal KILL 5 npm test", "Bash(npm test:*)"],
    ["stdbuf -o L npm test", "Bash(npm test:*)"],
    ["stdbuf -oL npm test", "Bash(npm test:*)"],
    ["nohup npm test", "Bash(npm test:*)"],
    ["A=1 B='2 3' cargo build", "Bash(A=1 B='2 3' cargo build:*)"],
    ["./run.sh a", "Bash(./run.sh:*)"],
    ["uniq 2>&1 | tail -5 > /dev/null", "Bash(uniq:*)"],
    ["cargo # all of it", "Bash(cargo:*)"],
  ])("%s", (command, rule) => expect(bash(command)).toEqual(rules(rule)));
});

describe("a program that could run any code gets a rule for this exact command", () => {
  test.each([
    "bash -c 'touch a'",
    "/bin/sh -c 'touch a'",
    'sh -lc "touch a"',
    "python3 -c 'import this'",
    "node -e 'x'",
    "node --require ./a b.js",
    "perl -pe 's/a/b/' x",
    "bun -e 'x'",
    "env -u A sh -c 'x'",
    "command sh -c 'x'",
    "uv run --with requests python -c 'x'",
    "docker run --rm -v /a:/b node:22 npm test",
    "awk '{print}' a",
    "make -j4 all",
    "tar czf a b",
  ])("%s", (command) => {
    expect(bash(command)).toEqual({ kind: "options", allowedTools: [`Bash(${command})`], broad: "exact" });
  });
});

describe("a rule that allows as much as all of Bash, or writing anywhere, says so", () => {
  test.each([
    ["python3 -c 'print(1)'", "runs-code", "Bash(python3:*)"],
    ["awk '/*/' a", "runs-code", "Bash(awk:*)"],
    ["sh", "runs-code", "Bash(sh)"],
    ["node <<'EOF'\nf($x) > y\nEOF", "runs-code", "Bash(node)"],
    ["python3 - <<'EOF'\nx\nEOF", "runs-code", "Bash(python3 -)"],
    ["xargs -I{} sh -c 'echo {}'", "runs-code", "Bash(xargs -I{} sh -c 'echo {}')"],
    ["xargs -s 100 sh", "runs-code", "Bash(xargs -s 100 sh)"],
    ["sudo -n sh -c 'x'", "runs-code", "Bash(sudo -n sh -c:*)"],
    ["npx -y tsc --noEmit", "runs-code", "Bash(npx -y tsc:*)"],
    ["curl a", "any-path", "Bash(curl:*)"],
    ["dd if=a of=b", "any-path", "Bash(dd:*)"],
    ["xargs -I % mv % sub/", "any-path", "Bash(xargs -I % mv:*)"],
  ] as const)("%s", (command, broad, rule) => {
    expect(bash(command)).toEqual({ kind: "options", allowedTools: [rule], broad });
  });
});

describe("a rule is read as itself alone, whatever a call contains", () => {
  test.each([
    "/x/a),Bash,Read(/x",
    "/x/a(1)/b",
    "/x/a*/b",
    "/x/[a]/b",
    "/x/a\nb/c",
    "/x/\u001b[31mred/c",
    "/x/a\u202eb/c",
    "/x/a\u00a0b/c",
    "/x/a`b/c",
    `/x/${"long/".repeat(100)}c`,
  ])("%j", (file_path) => {
    const obstacle: Remedy = { kind: "none", obstacle: "odd-path" };
    expect(denied({ tool_name: "Write", tool_input: { file_path } })?.remedy).toEqual(obstacle);
    const touch = bash(`touch '${file_path}'`);
    expect(touch?.kind === "options" && touch.allowedTools).toEqual(["Bash"]);
  });

  test.each(["FOO='),Bash,Read(' mkdir x", "FOO='a\nb' mkdir x", "'a`b' x", "FOO='a\u202eb' mkdir x"])(
    "%j",
    (command) => expect(bash(command)).toEqual({ kind: "options", allowedTools: ["Bash"], broad: "unknown" }),
  );
});

/** A path as rules name it, on Windows with the drive. */
const inRules = (path: string) => pathInRules(resolve(path));

describe("files outside of the session's directories", () => {
  const at = (tool_name: string, path: string) =>
    denied({ tool_name, tool_input: { file_path: path } })?.remedy;

  test("are read and written by a rule for this file alone", () => {
    expect(at("Read", "/etc/hostname")).toEqual(rules(`Read(/${inRules("/etc/hostname")})`));
    expect(at("Write", "/opt/x")).toEqual(rules(`Edit(/${inRules("/opt/x")})`));
    expect(bash("cat /etc/hostname")).toEqual(rules(`Read(/${inRules("/etc/hostname")})`));
    expect(bash("echo > /opt/x")).toEqual(rules(`Edit(/${inRules("/opt/x")})`));
    // Digits that belong to a word are no descriptor.
    expect(bash("sort 2024.log>/opt/x")).toEqual(rules(`Edit(/${inRules("/opt/x")})`));
    expect(bash("cat /etc/a2>/opt/x")).toEqual(
      rules(`Edit(/${inRules("/opt/x")})`, `Read(/${inRules("/etc/a2")})`),
    );
    expect(bash("sed -i s/a/b/ /opt/x")).toEqual(rules("Bash(sed:*)", `Edit(/${inRules("/opt/x")})`));
  });

  test("are listed by a rule for their directory, and the root by none", () => {
    expect(bash("ls /etc")).toEqual(rules(`Read(/${inRules("/etc/**")})`));
    expect(bash("ls /")).toEqual({ kind: "options", allowedTools: ["Bash"], broad: "unknown" });
  });

  test("that a pattern names are read by one rule for its directory", () => {
    const message = "cat in '/etc' was blocked. For security, …";
    expect(bash("cat /etc/host*/x", {}, message)).toEqual(rules(`Read(/${inRules("/etc/**")})`));
  });

  test("whose path no rule can name need their directory, where there is one", async () => {
    await using home = new Home();
    const odd = join(home.path, "p(1)");
    mkdirSync(odd);
    expect(at("Read", join(odd, "x"))).toEqual({ kind: "options", addDirectories: [odd] });
    expect(at("Write", join(odd, "x"))).toEqual({
      kind: "options",
      addDirectories: [odd],
      permissionMode: "acceptEdits",
    });
  });
});

test("what the denial says decides: a check that gave up needs all of Bash", () => {
  // The words of 2.1.332 and 2.1.197.
  const texts = [
    "Quoted text in this command can't be checked before it runs",
    "Contains shell syntax (file_redirect) that cannot be statically analyzed",
    "Contains ansi_c_string",
    "Contains Unicode whitespace",
    "'alias' evaluates arguments as shell code",
    "Glob patterns are not allowed in write operations. Please specify an exact file path.",
    "mkdir target contains command-substitution or untracked-variable output — the path is runtime-determined",
    "Command appears to be an incomplete fragment",
  ];
  for (const text of texts) {
    expect(bash("mkdir x", {}, text)).toEqual({
      kind: "options",
      allowedTools: ["Bash"],
      broad: "unknown",
    });
  }
  expect(bash('mkdir -p "$PWD/x"')).toMatchObject({ allowedTools: ["Bash"], broad: "expansion" });
  expect(bash('mkdir -p "$HOME/x"')).toMatchObject({ allowedTools: ["Bash(mkdir:*)", expect.any(String)] });
});

test("what was given already is not advised again", () => {
  const allGiven: Remedy = { kind: "none", obstacle: "all-given" };
  expect(bash("make $(x)", { allowedTools: "Bash" })).toEqual(allGiven);
  const write = { tool_name: "Write", tool_input: { file_path: "/x" } };
  expect(denied(write, { allowedTools: `Edit(/${inRules("/x")})` })?.remedy).toEqual(allGiven);
});

test.each(["/w/.claude/commands/x.md", "/w/.git/hooks/x"])("no rule allows a write to %s", (file_path) => {
  const message = `Claude requested permissions to write to ${file_path}, but you haven't granted it yet.`;
  expect(denied({ tool_name: "Write", tool_input: { file_path } }, {}, message)?.remedy).toEqual({
    kind: "none",
    obstacle: "protected-path",
  });
});

test("a command that contains a comma is found in the list of parts that need approval", () => {
  const message = "The following parts require approval: ls a, b, sort c";
  expect(bash("ls 'a, b'; ls a, b", {}, message)).toEqual(rules("Bash(ls:*)"));
});

test("a tool that is denied by name comes back without more than it needs", () => {
  const remedy = (tool: string) => {
    const message = `<tool_use_error>Error: No such tool available: ${tool}. ${tool} is disabled.</tool_use_error>`;
    const refusals = new Map([["t1", { id: "t1", message, byHook: false }]]);
    return denialsOf({ results: [], refusals }, { disallowedTools: tool })[0]?.remedy;
  };
  expect(remedy("Bash")).toEqual({ kind: "options", notDisallowed: ["Bash"] });
  expect(remedy("Write")).toEqual({
    kind: "options",
    permissionMode: "acceptEdits",
    notDisallowed: ["Write"],
  });
});

test("a command of several parts needs a rule for each, once, and none for what only reads", () => {
  expect(bash("mkdir a && cat b | uniq; uniq x || exit 1")).toEqual(
    rules("Bash(mkdir:*)", "Bash(uniq:*)", "Bash(exit:*)"),
  );
});

test("a rule that was given is not named again", () => {
  expect(bash("make a && npm ci", { allowedTools: "Bash(make *)" })).toEqual(rules("Bash(npm ci:*)"));
});

test("what the check refuses to look into needs all of Bash, with the reason", () => {
  const reasons = [
    "make $(nproc)",
    "make `nproc`",
    "diff <(a) <(b)",
    "for f in a; do make; done",
    "X=1; make",
    "make $X",
    "make {a,b}",
    "cat <<EOF\nx\nEOF",
    "(make)",
    "{ make; }",
    "make &",
    "eval make",
    "find . -delete",
    "cd sub && git log",
    "cd sub && rm x",
    "cd sub && echo > x",
    "rm *",
  ].map((command) => {
    const remedy = bash(command);
    return remedy?.kind === "options" && remedy.allowedTools?.[0] === "Bash" ? remedy.broad : remedy;
  });
  expect(reasons).toEqual([
    ...Array(8).fill("expansion"),
    "group",
    "group",
    "background",
    "evaluates",
    "find",
    "cd-and-git",
    "cd-and-write",
    "cd-and-write",
    "path",
  ]);
});

test("quotes hide what they hold", () => {
  const { commands, unchecked } = shellCommandOf(`git commit -m 'a; b && (c) $d' -m "e | f > g" h\\;i; ls`);
  expect(commands.map(({ words }) => words[0])).toEqual(["git", "ls"]);
  expect(unchecked).toBeUndefined();
});

test("any text is taken apart, and any call gets a remedy", () => {
  const pieces = [
    "'",
    '"',
    "$(",
    "`",
    "<<E",
    "\n",
    "\\",
    "&",
    "|",
    ";",
    ">",
    "{a,",
    "(",
    ")",
    "a",
    " ",
    "\0",
    "é",
  ];
  for (let round = 0; round < 2_000; round++) {
    const text = Array.from(
      { length: round % 13 },
      (_, index) => pieces[(round * 7 + index * index * 5) % 18],
    ).join("");
    expect(bash(text)?.kind).toBe("options");
  }
  expect(bash("$".repeat(9_000_000))).toMatchObject({ broad: "unknown" });
  expect(denied({ tool_name: "Read", tool_input: { file_path: `/${"x".repeat(9_000)}\0` } })?.remedy).toEqual(
    { kind: "none", obstacle: "odd-path" },
  );
});

test("a text that no rule lifts is an obstacle", () => {
  const obstacle = (message: string) => bash("make", { allowedTools: "Bash" }, message);
  expect(obstacle("PreToolUse:Bash hook error: [x]: no")).toEqual({ kind: "none", obstacle: "hook" });
  expect(obstacle("Claude requested permissions to edit /x/.git/y which is a sensitive file.")).toEqual({
    kind: "none",
    obstacle: "protected-path",
  });
  expect(obstacle("Permission to use Bash with command make has been denied.")).toEqual({
    kind: "none",
    obstacle: "settings-deny",
  });
});

test("a rule that looks as if it allowed a call is named with why it does not, unless no rule would", () => {
  const call = { tool_name: "Bash", tool_input: { command: "make" } };
  const given = { allowedTools: "bash(make)" };
  expect(denied(call, given, "This command requires approval")).toMatchObject({
    unmatched: { rule: "bash(make)", why: "case" },
  });
  expect(denied(call, { allowedTools: "Read" }, "This command requires approval")).not.toHaveProperty(
    "unmatched",
  );
  expect(denied(call, given, "PreToolUse:Bash hook error: [x]: no")).not.toHaveProperty("unmatched");
});

test("a call that two results list is one denial", () => {
  const permission_denials = [{ tool_name: "WebSearch", tool_use_id: "t1", tool_input: {} }];
  const results = [resultMessage({ permission_denials }), resultMessage({ permission_denials })];
  expect(denialsOf({ results, refusals: new Map() })).toEqual([
    { tool: "WebSearch", rule: "WebSearch", remedy: rules("WebSearch") },
  ]);
});

test("a tool that was never there is no denial", () => {
  const message = "<tool_use_error>Error: No such tool available: Nonsense.</tool_use_error>";
  const refusals = new Map([["t1", { id: "t1", message, byHook: false }]]);
  expect(denialsOf({ results: [], refusals })).toEqual([]);
});

test("a tool that is denied unless it is named comes back by its name", () => {
  const message =
    "<tool_use_error>Error: No such tool available: CronCreate. It is disabled.</tool_use_error>";
  const refusals = new Map([["t1", { id: "t1", message, byHook: false }]]);
  expect(denialsOf({ results: [], refusals })).toEqual([
    { tool: "CronCreate", rule: "CronCreate", remedy: rules("CronCreate") },
  ]);
});

test("the tool result says who decided and why", () => {
  const content = [{ type: "tool_result", tool_use_id: "t1", is_error: true, content: "no" }];
  const tool_result_meta = [{ id: "t1", permission_decision: { decision: "reject", source: "hook" } }];
  expect(refusalsIn({ message: { content }, tool_result_meta })).toEqual([
    { id: "t1", message: "no", byHook: true },
  ]);
  expect(refusalsIn({ message: { content: "hello" } })).toEqual([]);
});

test("a denial of an old log still reads, and its rule is what it advises", () => {
  const old = denial.parse({ tool: "Bash", rule: "Bash(npm:*)" });
  expect(advisedOptions([old]).allowedTools).toEqual(["Bash(npm:*)"]);
});

test("advice of several denials is one set of options, in which a wide rule replaces the narrow ones", () => {
  const remedies: Remedy[] = [
    rules("Bash(make:*)"),
    rules("Bash"),
    rules("WebFetch(domain:a)"),
    rules("Bash"),
  ];
  const advised = advisedOptions(remedies.map((remedy) => ({ tool: "T", rule: "r", remedy })));
  expect(advised.allowedTools).toEqual(["Bash", "WebFetch(domain:a)"]);
});

test.each([
  ["C:\\Users\\me\\a b.txt", "/c/Users/me/a b.txt"],
  ["/etc/hostname", "/etc/hostname"],
  ["\\\\server\\share\\a", "\\\\server\\share\\a"],
])("%s is %s in a rule", (path, named) => {
  expect(pathInRules(path)).toBe(named);
});

testNeeding("Windows")(
  "a file outside on Windows is read by a rule for this file alone, on its drive",
  () => {
    expect(denied({ tool_name: "Read", tool_input: { file_path: "C:\\windows\\a.txt" } })?.remedy).toEqual(
      rules("Read(//c/windows/a.txt)"),
    );
  },
);
