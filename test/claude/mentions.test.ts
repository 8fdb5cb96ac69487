// Which files a task may attach by `@path`, and what is sent so that it attaches no other. test/real/reach.real.ts shows
// that the real CLI respects this form.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mentionsIn } from "../../src/claude/mention-scan.ts";
import { mentionEnvironment, messageContent, neutralisedMentions } from "../../src/claude/mentions.ts";
import { sessionOptions } from "../../src/model/options.ts";
import { testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

let home: Home;
beforeAll(() => {
  home = new Home();
  mkdirSync(home.file("work/sub dir"));
  mkdirSync(home.file("other"));
  mkdirSync(home.file("work/a @"));
  for (const name of ["secret", "work/in.txt", "work/sub dir/deep.txt", "other/o.txt", "work/a @/x"])
    writeFileSync(home.file(name), "x");
  symlinkSync(home.file("secret"), home.file("work/link"));
  symlinkSync(home.file("work/in.txt"), home.file("inward"));
  mkdirSync(home.file("work/.claude/agents"), { recursive: true });
  mkdirSync(home.file("other/.claude/agents"), { recursive: true });
  writeFileSync(home.file("other/.claude/agents/b.md"), "---\nname: of-the-added\ntools: Bash\n---\nx");
  writeFileSync(
    home.file("work/.claude/agents/a.md"),
    "---\nname: of-the-directory\ntools: Bash, Edit\n---\nx",
  );
});
afterAll(() => home[Symbol.asyncDispose]());

const inWork = (path: string) => join(home.work, path);
const optionsOf = (options: object) => sessionOptions.parse(options);
const contentOf = (text: string, options: object = {}) => messageContent(text, optionsOf(options), home.work);
const neutralised = (text: string, options: object = {}) =>
  neutralisedMentions(text, optionsOf(options), home.work);
/** What the last of two blocks says: the mentions that are expanded. */
const attachedBy = (text: string, options: object = {}) => {
  const content = contentOf(text, options);
  if (typeof content === "string") throw new Error("one text");
  expect(content[0].text).toBe(text);
  return content[1].text.trim();
};

test("a task without an @ is sent as it is", () => {
  expect(contentOf("hello")).toBe("hello");
});

describe("a mention", () => {
  testNeeding("symbolic links")(
    "of a file in the working directory is attached, with its lines, by its real path",
    () => {
      expect(attachedBy('read @in.txt, @"sub dir/deep.txt" and @./in.txt#L1-2.')).toBe(
        [`@"${inWork("in.txt")}"`, `@"${inWork("sub dir/deep.txt")}"`, `@"${inWork("in.txt")}#L1-2"`].join(
          "\n",
        ),
      );
      expect(attachedBy(`@${home.file("inward")}`)).toBe(`@"${inWork("in.txt")}"`);
      expect(neutralised("read @in.txt")).toEqual([]);
    },
  );

  testNeeding("symbolic links")(
    "of a file outside is text, whatever leads there, unless its directory was added",
    () => {
      const outside = [
        `@${home.file("secret")}`,
        "@../secret",
        "@link",
        '@"../secret"',
        "@../secret#L1",
        "@/etc/",
      ];
      for (const written of outside) {
        expect(attachedBy(`see ${written} there`)).toBe("");
        expect(neutralised(`see ${written} there`)).toEqual([written.replace(/\/$/, "")]);
      }
      const added = { addDirectories: [home.file("other")] };
      expect(attachedBy(`@${home.file("other/o.txt")}`, added)).toBe(`@"${home.file("other/o.txt")}"`);
      expect(attachedBy(`@${home.file("other/o.txt")}`)).toBe("");
    },
  );

  test("is text where the session has no Read tool, or file mentions are off", () => {
    for (const options of [
      { fileMentions: false },
      { tools: "" },
      { tools: "Bash,Edit" },
      { disallowedTools: "Edit,Read" },
      { disallowedTools: "Read(*)" },
      { disallowedTools: ["Read()"] },
      { disallowedTools: "*" },
      { settings: { permissions: { deny: ["Read"] } } },
      { settings: '{"permissions": {"deny": ["Read(*)"]}}' },
      { agent: "r", agents: { r: { description: "d", prompt: "p", tools: ["Bash"] } } },
      { agent: "r", agents: { r: { description: "d", prompt: "p", disallowedTools: "Read" } } },
      { agent: "of-the-directory" },
      { agent: "of-the-added", addDirectories: [home.file("other")] },
    ]) {
      expect(attachedBy("@in.txt", options)).toBe("");
      expect(neutralised("@in.txt", options)).toEqual(["@in.txt"]);
    }
    for (const options of [
      { tools: "Read" },
      { tools: "default" },
      { disallowedTools: "Read(./x)" },
      { settings: { permissions: { deny: ["Read(./x)"] } } },
      { agent: "r", agents: { r: { description: "d", prompt: "p", tools: ["Read"] } } },
      { agent: "unknown" },
      { agent: "of-the-added" },
    ])
      expect(attachedBy("@in.txt", options)).not.toBe("");
  });

  test("cannot smuggle in another one by its name or its lines", () => {
    expect(attachedBy('@"in.txt#\n@/etc/hostname"')).toBe(`@"${inWork("in.txt")}"`);
    expect(attachedBy('@"a @/x"')).toBe("");
  });

  test("of a missing file causes no remark", () => {
    expect(attachedBy("@dataclass\n@types/node you@example.com @nobody")).toBe("");
    expect(neutralised("@dataclass\n@types/node you@example.com @/no/such/file")).toEqual([]);
  });

  test("of an agent stays one, and one of an MCP resource does not", () => {
    expect(attachedBy('@agent-reviewer and @"my-own (agent)"')).toBe('@agent-reviewer\n@"my-own (agent)"');
    expect(attachedBy("@agent-reviewer", { fileMentions: false })).toBe("");
    const mcpConfig = { mcpServers: { docs: { command: "x" } } };
    expect(attachedBy("@docs:readme", { mcpConfig })).toBe("");
    expect(neutralised("@docs:readme", { mcpConfig })).toEqual(["@docs:readme"]);
  });

  testNeeding("symbolic links")(
    "of an agent counts as one of a file where something of that name is there",
    () => {
      symlinkSync(home.file("secret"), home.file("work/agent-link"));
      symlinkSync(home.file("secret"), home.file("work/link (agent)"));
      writeFileSync(home.file("work/agent-notes.txt"), "x");
      const text = 'ask @agent-link, @"link (agent)" and @agent-notes.txt';
      expect(attachedBy(text)).toBe(`@"${inWork("agent-notes.txt")}"`);
      expect(neutralised(text)).toEqual(["@agent-link", '@"link (agent)"']);
      expect(attachedBy("@agent-notes.txt", { tools: "Bash" })).toBe("");
      expect(contentOf("/review @agent-link", { slashCommands: true })).toBe("/review \u200b@agent-link");
    },
  );

  testNeeding("symbolic links")(
    "of a file in whose real path a # stands is text, for Claude Code would take another",
    () => {
      mkdirSync(home.file("work/p#q"));
      writeFileSync(home.file("work/p#q/in.txt"), "x");
      writeFileSync(home.file("work/in#1"), "x");
      symlinkSync("in#1", home.file("work/c"));
      expect(attachedBy("@c")).toBe("");
      expect(neutralised("@c")).toEqual(["@c"]);
      expect(messageContent("@in.txt", optionsOf({}), home.file("work/p#q"))).toMatchObject([
        {},
        { text: " " },
      ]);
    },
  );

  test("beyond a thousand others is text, and a remark names ten", () => {
    const names = Array.from({ length: 1_100 }, (_, index) => `@./${"./".repeat(index % 7)}${index}.txt`);
    for (const index of names.keys()) writeFileSync(home.file(`other/${index}.txt`), "x");
    const there = (options: object = {}) =>
      messageContent(names.join(" "), optionsOf(options), home.file("other"));
    const [, attached] = there() as [object, { text: string }];
    expect(attached.text.split("\n").length).toBe(1_000);
    expect(String(there({ slashCommands: true }))).not.toContain("\u200b");
    const refused = neutralisedMentions(
      names.join(" "),
      optionsOf({ fileMentions: false }),
      home.file("other"),
    );
    expect(refused).toEqual([...names.slice(0, 10), "and 990 more"]);
    const slash = messageContent(
      `/x ${names.join(" ")}`,
      optionsOf({ slashCommands: true }),
      home.file("other"),
    );
    expect(String(slash).match(/\u200b/g)?.length).toBe(100);
  });

  test("in a slash command is broken by a space of no width unless it may be read", () => {
    const slash = { slashCommands: true };
    expect(contentOf("/review @in.txt @/etc/hostname @alice", slash)).toBe(
      "/review @in.txt \u200b@/etc/hostname @alice",
    );
    expect(contentOf("/review @in.txt", { ...slash, fileMentions: false })).toBe("/review \u200b@in.txt");
    expect(attachedBy("review @in.txt", slash)).not.toBe("");
  });
});

test("mentions are found where Claude Code finds them, and nowhere else", () => {
  const written = (text: string) => [...mentionsIn(text)].map((mention) => mention.written);
  for (const before of [
    "",
    "x ",
    "x\t",
    "x\n",
    "x\u00a0",
    "x\u2003",
    "x\ufeff",
    "x\u3000",
    "x\u2028",
    "x。",
    "x、",
  ])
    expect(written(`${before}@/p/s.txt, y`)).toEqual(["@/p/s.txt"]);
  for (const before of ["x", "(", "`", "'", '"', "\\", "@", "\u200b", "\u0085", "=", "—", "<"])
    expect(written(`x${before}@/p/s.txt`).filter((one) => one.includes("/p"))).toEqual([]);
  expect(written('@"/p/a b" @"open')).toEqual(['@"/p/a b"']);
});

test("a megabyte of mentions is judged while others wait, in whatever form", () => {
  const fill = (unit: string) => unit.repeat(1_000_000 / unit.length);
  for (const unit of [
    "。@",
    "。@a/b",
    " @a",
    ' @"b',
    '。@"',
    ` @${"a/".repeat(2_000)}b`,
    ` @${"x".repeat(9_000)}`,
  ]) {
    expect(attachedBy(fill(unit))).toBe("");
    expect(contentOf(`/x${fill(unit)}`, { slashCommands: true })).toBeString();
  }
  expect(attachedBy(`@${"x".repeat(40_000)} @in.txt`)).toBe(`@"${inWork("in.txt")}"`);
});

test("a session that attaches nothing cannot have a subagent attach anything either", () => {
  const environmentOf = (text: string, options: object = {}) =>
    mentionEnvironment(text, optionsOf(options), home.work);
  const off = { CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1" };
  expect(environmentOf("hello")).toEqual(off);
  expect(environmentOf("see @/etc/hostname and @agent-x")).toEqual(off);
  expect(environmentOf(`see @${"x".repeat(300)} and @${home.file("y".repeat(300))}`)).toEqual(off);
  expect(environmentOf("see @in.txt")).toEqual({});
  expect(environmentOf("/review", { slashCommands: true })).toEqual({});
  expect(environmentOf("/review", { slashCommands: true, fileMentions: false })).toEqual(off);
});
