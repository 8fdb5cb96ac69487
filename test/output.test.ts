// What commands print arrives whole, once and in order, whoever reads it: late, slowly, or no longer.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "./facilities.ts";
import { eventually, filesIn, Home, program, run } from "./harness.ts";

// Around what a pipe holds (65,536 bytes), and beyond what four of them hold.
const sizes = [65_535, 65_537, 100_000, 262_143, 1_000_000];

describe("a batch with long answers", () => {
  const home = new Home();

  beforeAll(async () => {
    writeFileSync(home.file("tasks.txt"), sizes.map((size) => `[[answer bytes=${size}]]\n`).join(""));
    const { code, err } = await run(home, ["run", "-f", home.file("tasks.txt")]);
    expect([code, err]).toEqual([0, expect.any(String)]);
  }, 180_000);

  afterAll(() => home[Symbol.asyncDispose]());

  // In a shell, behind a pipe; gives what came out of it, and the status of the command.
  async function piped(args: string[], reader: string) {
    const status = home.file("status");
    const script = `{ "$@"; echo $? > '${status}'; } | { ${reader}; }`;
    const child = Bun.spawn(["bash", "-c", script, "bash", ...program(), ...args], {
      cwd: home.work,
      env: home.environment,
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
    await child.exited;
    return { out, err, code: Number(readFileSync(status, "utf8")) };
  }

  const readers: [string, string][] = [
    ["comes late", "sleep 0.3; cat"],
    ["is slow", "while head -c 30000 > piece && [ -s piece ]; do cat piece; sleep 0.01; done"],
  ];
  for (const [which, reader] of readers)
    testNeeding("bash")(
      `a reader that ${which} gets answers of every length whole`,
      async () => {
        for (const [index, size] of sizes.entries()) {
          const args = ["results", "latest", String(index + 1)];
          const { out, err, code } = await piped(args, reader);
          // The answer, and a line feed.
          expect({ size, length: out.length, code }).toEqual({ size, length: size + 1, code: 0 });
          expect(err).not.toContain("could not be written");
        }
      },
      180_000,
    );

  testNeeding("bash")(
    "what is JSON in a file is the same JSON behind a pipe, for each command that prints much",
    async () => {
      for (const args of [
        ["show", "latest", "--json"],
        ["results", "latest", "3", "--json"],
        ["logs", "latest", "3", "--json"],
      ]) {
        const file = home.file(`${args.join("-")}.txt`);
        await Bun.spawn([...program(), ...args], {
          cwd: home.work,
          env: home.environment,
          stdout: Bun.file(file),
          stderr: "ignore",
        }).exited;
        for (let time = 0; time < 2; time++) {
          const { out, code } = await piped(args, "sleep 0.1; cat");
          expect({ args, same: Buffer.from(out).equals(readFileSync(file)), code }).toEqual({
            args,
            same: true,
            code: 0,
          });
        }
      }
    },
    180_000,
  );

  testNeeding("bash")(
    "a reader that has read enough ends no command with an error",
    async () => {
      for (const args of [
        ["show", "latest", "--json"],
        ["results", "latest", "5", "--full"],
        ["results", "latest", "--full"],
        ["logs", "latest", "5"],
        ["logs", "latest", "5", "--json"],
      ]) {
        const { out, err, code } = await piped(args, "head -c 10");
        expect({ args, length: out.length, code }).toEqual({ args, length: 10, code: 0 });
        expect(err).not.toMatch(/EPIPE|could not be written|^ +at /m);
      }
    },
    180_000,
  );

  const printing = [
    ["--version"],
    ["-v"],
    ["help"],
    ["help", "run"],
    ["config"],
    ["completions", "bash"],
    ["list"],
    ["show", "latest"],
    ["show", "latest", "--json"],
    ["results", "latest"],
    ["results", "latest", "5", "--full"],
    ["logs", "latest", "5"],
    ["logs", "latest", "5", "--json"],
    ["wait", "latest"],
    ["watch", "latest"],
    ["run", "[[answer text=4]]"],
  ];
  testNeeding("Linux")(
    "output that the disk has no room for is told in a sentence, and is no success",
    async () => {
      for (const args of printing) {
        const child = Bun.spawn([...program(), ...args], {
          cwd: home.work,
          env: home.environment,
          stdin: "ignore",
          stdout: Bun.file("/dev/full"),
          stderr: "pipe",
        });
        const [code, err] = await Promise.all([child.exited, child.stderr.text()]);
        expect({ args, code }).toEqual({ args, code: 1 });
        expect(err).toContain("The output could not be written: no space left on device");
      }
    },
    180_000,
  );
});

test("messages of the server are whole for a client that reads late", async () => {
  await using home = new Home();
  const child = Bun.spawn([...program()], {
    cwd: home.work,
    env: home.environment,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "ignore",
  });
  const messages = [
    {
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    },
    { method: "notifications/initialized" },
    { id: 2, method: "tools/list" },
    { id: 3, method: "tools/list" },
    {
      id: 4,
      method: "tools/call",
      params: {
        name: "spawn_parallel_claude_sessions",
        arguments: { tasks: [`[[answer bytes=90000]] [[touch path=${home.file("answered")}]]`] },
      },
    },
  ];
  for (const message of messages) child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  await child.stdin.flush();
  await eventually(
    () => existsSync(home.file("answered")),
    () => "the session answers",
  );
  let said = "";
  for await (const piece of child.stdout) {
    said += new TextDecoder().decode(piece);
    if (said.includes('"id":4') && said.endsWith("\n")) break;
  }
  child.kill();
  await child.exited;
  const ids = said
    .trim()
    .split("\n")
    .map((line): { id?: number } => JSON.parse(line))
    .flatMap(({ id }) => id ?? []);
  expect(ids.sort()).toEqual([1, 2, 3, 4]);
}, 180_000);

testNeeding("bash")(
  "a run that nobody can read any more stops its sessions, as if its terminal had been closed",
  async () => {
    await using home = new Home();
    const status = home.file("status");
    const tasks = [`[[answer text=4]]`, "[[hang]]", "[[hang]]"];
    writeFileSync(home.file("tasks.txt"), `${tasks.join("\n")}\n`);
    const script = `{ "$@"; echo $? > '${status}'; } 2>&1 | head -n 1`;
    const child = Bun.spawn(
      ["bash", "-c", script, "bash", ...program(), "run", "-f", home.file("tasks.txt")],
      {
        cwd: home.work,
        env: home.environment,
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    await child.stdout.text();
    await eventually(
      () => existsSync(status) && readFileSync(status, "utf8") !== "",
      () => "the command ends",
    );
    expect(readFileSync(status, "utf8").trim()).toBe("141");
    await home.empty();
    const { out } = await run(home, ["show", "latest", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ state: "cancelled", counts: { succeeded: 1, cancelled: 2 } });
  },
  180_000,
);

testNeeding("bash")(
  "a run whose answer alone has no reader goes on",
  async () => {
    await using home = new Home();
    const script = `"$@" > >(exec true)`;
    const child = Bun.spawn(
      ["bash", "-c", script, "bash", ...program(), "run", "[[stream parts=3]]", "[[answer text=4]]"],
      { cwd: home.work, env: home.environment, stdout: "ignore", stderr: "pipe" },
    );
    const err = await child.stderr.text();
    expect([await child.exited, err]).toEqual([0, expect.stringContaining("2/2")]);
  },
  180_000,
);

test("a model's escapes reach no pipe, stand in JSON as escapes, and stay in a file", async () => {
  await using home = new Home();
  const words = "be\x1b[2Jgin \x9d52;c;eA==\x9c \u200bend";
  const escapes = words.replace(
    /[^ -~]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const task = `[[answer text="${escapes}"]]`;
  const { out: answer } = await run(home, ["run", task]);
  const { out } = await run(home, ["results", "latest", "1"]);
  for (const shown of [answer, out]) expect(shown).toBe("begin \ufffd52;c;eA==\ufffd \ufffdend\n");
  const jsonl = filesIn(home.output).find((name) => name.endsWith(".jsonl")) ?? "";
  const summary = filesIn(home.output).find((name) => name.startsWith("summary-")) ?? "";
  const texts = [
    (await run(home, ["results", "latest", "--json"])).out,
    (await run(home, ["show", "latest", "--json"])).out,
    readFileSync(join(home.output, `${jsonl}`), "utf8"),
    readFileSync(join(home.output, `${summary}`), "utf8"),
  ];
  for (const text of texts) {
    expect(text).toContain("be\\u001b[2Jgin \\u009d52;c;eA==\\u009c \\u200bend");
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b]/);
  }
  const file = home.file("answer.md");
  const child = Bun.spawn([...program(), "results", "latest", "1"], {
    cwd: home.work,
    env: home.environment,
    stdout: Bun.file(file),
    stderr: "ignore",
  });
  await child.exited;
  expect(readFileSync(file, "utf8")).toBe(`${words}\n`);
});

test("a directory whose name is an escape does nothing to a terminal", async () => {
  await using home = new Home();
  const output = join(home.output, "\x1b[2Jx");
  await run(home, ["run", "one", "--output-directory", output]);
  for (const args of [
    ["show", "latest"],
    ["wait", "latest"],
    ["watch", "latest"],
    ["cancel", "latest"],
  ]) {
    const { out, err } = await run(home, args);
    expect({ args, text: out + err }).toEqual({ args, text: expect.not.stringContaining("\x1b") });
  }
});
