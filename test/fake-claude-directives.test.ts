// What a prompt can make the fake `claude` do, where no recording of the real one can be had.

import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { rowOf } from "../src/platform/process.ts";
import { testNeeding } from "./facilities.ts";
import { messagesIn, run, start, streaming, temporaryFolder, userLine } from "./fixtures/run-fake-claude.ts";

const ask = (prompt: string, env: Record<string, string> = {}) =>
  run({ args: streaming, lines: [userLine(prompt)], env });

/** The `result` text of a run that has one. */
async function answerTo(prompt: string, env: Record<string, string> = {}): Promise<unknown> {
  const { stdout } = await ask(prompt, env);
  return messagesIn(stdout).find((message) => message["type"] === "result")?.["result"];
}

describe("a prompt decides what is answered:", () => {
  test.concurrent("without directives, the prompt itself", async () => {
    expect(await answerTo("What is 2+2?")).toBe("Answer to: What is 2+2?");
  });

  test.concurrent("values are bare, in double quotes with escapes, or in single quotes as they are", async () => {
    expect(await answerTo("[[answer text=plain]]")).toBe("plain");
    expect(await answerTo('before [[answer text="two\\nlines \\"quoted\\" ]]"]] after')).toBe(
      'two\nlines "quoted" ]]',
    );
    expect(await answerTo(`[[answer text='{"a":"\\n"}']]`)).toBe('{"a":"\\n"}');
  });

  test.concurrent("an answer of so many bytes", async () => {
    expect(String(await answerTo("[[answer bytes=300000]]")).length).toBe(300_000);
  });

  test.concurrent("what the process was given", async () => {
    expect(await answerTo("[[args]]")).toBe(JSON.stringify(streaming));
    expect(await answerTo("[[env name=COLOUR]]", { COLOUR: "green" })).toBe("green");
    expect(await answerTo("[[prompt]]")).toBe('"[[prompt]]"');
  });

  test.concurrent("FAKE_CLAUDE_DEFAULT stands in for missing directives", async () => {
    expect(await answerTo("hi", { FAKE_CLAUDE_DEFAULT: "[[answer text=instead]]" })).toBe("instead");
  });

  test.concurrent("a schema alone gets a value that fits it", async () => {
    const schema = JSON.stringify({
      type: "object",
      properties: { n: { type: "integer" } },
      required: ["n"],
    });
    const { stdout } = await run({ args: [...streaming, "--json-schema", schema], lines: [userLine("hi")] });
    expect(messagesIn(stdout).at(-1)).toMatchObject({ structured_output: { n: 1 } });
  });

  test.concurrent("the demonstration says that no model was asked", async () => {
    expect(String(await answerTo("hi", { FAKE_CLAUDE_DEMO: "1" }))).toContain("No model was asked");
  });

  test.concurrent("a directive that does not exist ends the process", async () => {
    expect(await ask("[[answr]]")).toMatchObject({
      stderr: 'fake claude: there is no directive "answr"\n',
      exitCode: 64,
    });
  });
});

describe("a process can go wrong on request:", () => {
  test.concurrent("half a line", async () => {
    const { stdout, exitCode } = await ask("[[half-line exit=3]]");
    const last = stdout.split("\n").at(-1) ?? "";
    expect(last).toStartWith('{"type":"assistant"');
    expect(() => JSON.parse(last)).toThrow();
    expect(exitCode).toBe(3);
  });

  test.concurrent("half a line, and the rest when a file appears", async () => {
    using folder = temporaryFolder();
    await using claude = start({ args: streaming, stdin: "open" });
    claude.send(userLine(`[[half-line-pause until=${folder.path}/go text=whole]]`));
    await claude.until("system", "init");
    await Bun.write(`${folder.path}/go`, "");
    expect(await claude.until("result")).toMatchObject({ result: "whole" });
  });

  test.concurrent("characters cut in two", async () => {
    expect(await answerTo('[[split-utf8 text="Grüße 世界"]]')).toBe("Grüße 世界");
  });

  test.concurrent("a line of so many bytes", async () => {
    const { stdout } = await ask("[[big-line bytes=500000]]");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBe(500_000);
  });

  test.concurrent("no result, though the exit code is 0", async () => {
    const { stdout, exitCode } = await ask("[[no-result]]");
    expect(messagesIn(stdout).map((message) => message["subtype"])).toEqual(["init"]);
    expect(exitCode).toBe(0);
  });

  test.concurrent("a good result, though the exit code is not 0", async () => {
    const { stdout, exitCode } = await ask("[[good-result-bad-exit code=7]]");
    expect(messagesIn(stdout).at(-1)).toMatchObject({ type: "result", is_error: false });
    expect(exitCode).toBe(7);
  });

  testNeeding("signals that can be heard")("killed by a signal", async () => {
    expect(await ask("[[signal name=SIGSEGV]]")).toMatchObject({ signal: "SIGSEGV", stderr: "" });
    expect(await ask("[[signal name=SIGTERM]]")).toMatchObject({ signal: "SIGTERM", stderr: "" });
  });

  test.concurrent("lines that are no messages", async () => {
    const { stdout, exitCode } = await ask("[[garbage]][[unknown-type]]");
    expect(stdout).toContain("this is not json\n\n");
    expect(stdout).toContain("from_the_future");
    expect(exitCode).toBe(0);
  });
});

describe("a session can leave processes behind:", () => {
  for (const how of ["", " double-fork"]) {
    test.concurrent(`a grandchild${how} in a session of its own outlives the result, and not an interrupt`, async () => {
      await using claude = start({ args: streaming, stdin: "open" });
      claude.send(userLine(`[[grandchild survive-after-result seconds=7700077${how}]][[result]][[hang]]`));
      const { message } = await claude.until("user");
      const pid = Number(/"content":"(\d+)"/.exec(JSON.stringify(message))?.[1]);
      await claude.until("result");
      expect(() => process.kill(pid, 0)).not.toThrow();
      claude.send({ type: "control_request", request_id: "r1", request: { subtype: "interrupt" } });
      claude.end();
      await claude.finished();
      await gone(pid);
    });
  }

  test.concurrent("without that wish it ends with the result", async () => {
    const { stdout } = await ask("[[grandchild]]");
    await gone(Number(/"content":"(\d+)"/.exec(stdout)?.[1]));
  });
});

describe("a test can steer a running session:", () => {
  test.concurrent("by files", async () => {
    using folder = temporaryFolder();
    await using claude = start({ args: streaming, stdin: "open" });
    claude.send(
      userLine(`[[write-file path=${folder.path}/a/b text="hi"]][[wait-for-file path=${folder.path}/go]]`),
    );
    await claude.until("system", "init");
    await Bun.write(`${folder.path}/go`, "");
    await claude.until("result");
    expect(existsSync(`${folder.path}/a/b`)).toBe(true);
  });

  testNeeding("a system other than Windows")("by a socket", async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/s`;
    const lines: string[] = [];
    using listener = Bun.listen({
      unix: path,
      socket: {
        data(socket, chunk) {
          lines.push(...chunk.toString().trim().split("\n"));
          if (lines.length === 1) socket.write('[[answer text=first]]\nanswer text="then this"\n');
          if (lines.length === 3) socket.end();
        },
      },
    });
    expect(await answerTo(`steer [[socket path=${path}]]`)).toBe("then this");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ prompt: `steer [[socket path=${path}]]` });
    listener.stop();
  });
});

/** Waits until there is no such process; the test's own time limit is the limit. */
async function gone(pid: number): Promise<void> {
  expect(pid).toBeGreaterThan(1);
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return; // No such process: what was waited for.
    }
    // Where nothing reaps orphans, one that has ended stays listed as a zombie.
    if (rowOf(pid)?.state === "Z") return;
    await Bun.sleep(2);
  }
}
