// `logs`, `wait`: looking at sessions while they run and afterwards.

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { partsOf } from "../src/claude/conversation-lines.ts";
import { LineCutter } from "../src/claude/lines.ts";
import { eventually, filesIn, Home, program, run } from "./harness.ts";

/** A command whose standard output is read while it runs. */
class Following implements AsyncDisposable {
  readonly #child;
  readonly #reading: Promise<unknown>;
  /** What it has printed to stdout so far. */
  said = "";
  /** And to stderr. */
  noted = "";

  constructor(home: Home, args: string[]) {
    this.#child = Bun.spawn([...program(), ...args], {
      cwd: home.work,
      env: home.environment,
      stdout: "pipe",
      stderr: "pipe",
    });
    const { stdout, stderr } = this.#child;
    this.#reading = Promise.all([
      read(stdout, (text) => (this.said += text)),
      read(stderr, (text) => (this.noted += text)),
    ]);
  }

  says(text: string): Promise<void> {
    return eventually(
      () => this.said.includes(text) || this.noted.includes(text),
      () => `it says ${JSON.stringify(text)}, but only ${JSON.stringify([this.said, this.noted])}`,
    );
  }

  async ended(): Promise<number> {
    await this.#reading;
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

async function read(stream: ReadableStream<Uint8Array>, heard: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const piece of stream) heard(decoder.decode(piece, { stream: true }));
}

describe("logs", () => {
  test("reads a session like a conversation: prompt, words, calls, what they gave, end and stderr", async () => {
    await using home = new Home();
    const task = [
      "List the files.",
      '[[thinking text="let me see"]]',
      '[[answer text="I will look."]]',
      '[[tool name=Bash input="ls -la" output="README.md"]]',
      '[[tool name=Bash input=false output="no such thing" fails]]',
      "[[subagent]]",
      '[[stderr text="warning: odd"]]',
      '[[answer text="That is all."]]',
    ].join(" ");
    await run(home, ["run", task]);
    const { code, out } = await run(home, ["logs", "latest", "1"]);
    expect(code).toBe(0);
    const inOrder = [
      /^Task 1 of batch \w{8}, attempt 1$/m,
      /^> List the files\./m,
      /^… let me see$/m,
      /^I will look\.$/m,
      /^→ Bash ls -la\n← README\.md$/m,
      /^→ Bash false\n← no such thing$/m,
      /^→ Agent /m,
      /^ {4}→ Bash ls\n {4}← README\.md$/m,
      /^That is all\.$/m,
      /^Answered \(\d+ turns, .* s, \$\d\.\d+\)\.$/m,
      /^Stderr\nwarning: odd$/m,
      /^Task 1: succeeded\.$/m,
    ];
    const places = inOrder.map((part) => out.search(part));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    // The end does not say again what was said just before.
    expect(out.split("That is all.")).toHaveLength(3);
  });

  test("an error is shown with what the CLI said of it", async () => {
    await using home = new Home();
    await run(home, ["run", "[[max-turns]]", "[[error status=400 message='bad request']]", "--retries", "0"]);
    expect((await run(home, ["logs", "latest", "1"])).out).toMatch(/^Ended: error_max_turns \(.*\n.*turns/m);
    const { out } = await run(home, ["logs", "latest", "2"]);
    expect(out).toContain("bad request");
    expect(out).toContain("Task 2: failed: request rejected.");
  });

  test("control characters are made harmless, and what tools gave is shortened", async () => {
    await using home = new Home();
    const long = "line\\n".repeat(500);
    const task = `[[tool name=Bash input=cat output="${long}"]] [[answer text="\\u001b[31mred\\u0007 \\u202eback"]]`;
    await run(home, ["run", task]);
    const { out } = await run(home, ["logs", "latest", "1"]);
    expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
    expect(out).toContain("red␇ �back");
    expect(out).toContain("[2,500 characters in all]");
  });

  test("--json prints the transcript as it is", async () => {
    await using home = new Home();
    await run(home, ["run", "[[garbage]] [[big-line bytes=9000000]] [[answer text=hi]]"]);
    const { out } = await run(home, ["logs", "latest", "1", "--json"]);
    const [batch = ""] = filesIn(join(home.state, "batches"));
    const folder = join(home.state, `batches/${batch}`);
    const [transcript = ""] = filesIn(folder).filter((name) => name.endsWith(".ndjson"));
    expect(out).toBe(readFileSync(`${folder}/${transcript}`, "utf8"));
    const { out: text } = await run(home, ["logs", "latest", "1"]);
    expect(text).toContain("[A line of 9.0 MB that is no message, or too long: ");
    expect(text.length).toBeLessThan(10_000);
  });

  test("-f shows what comes until the task has ended, through a further attempt", async () => {
    await using home = new Home();
    const [gate, other] = [home.file("gate"), home.file("other")];
    const task = `[[answer text=begun]] [[wait-for-file path=${gate}]] [[exit code=7]]`;
    await run(home, ["run", "--detach", task, `[[wait-for-file path=${other}]]`, "--retries", "1"]);
    await using command = new Following(home, ["logs", "latest", "1", "-f"]);
    await command.says("\nbegun\n");
    await Bun.write(gate, "");
    await command.says("attempt 2");
    expect(await command.ended()).toBe(0);
    expect(command.said).toMatch(/attempt 2[\s\S]*\nTask 1: (crashed|succeeded)\.\n$/);
    // The batch goes on: it was the task that was followed.
    expect((await run(home, ["show", "latest"])).out).toContain("running");
    const first = await run(home, ["logs", "latest", "1", "--attempt", "1"]);
    expect(first.out).toContain("attempt 1");
    expect(first.out).not.toContain("attempt 2");
    await Bun.write(other, "");
  });

  test("-f of a task that is queued says so, and shows its session when it runs", async () => {
    await using home = new Home();
    const gate = home.file("gate");
    const first = `[[wait-for-file path=${gate}]]`;
    await run(home, ["run", "--detach", "--concurrency", "1", first, "[[answer text=second]]"]);
    await using command = new Following(home, ["logs", "latest", "2", "-f"]);
    await command.says("Task 2 waits for its start. Its session is shown as soon as it runs.\n");
    await Bun.write(gate, "");
    expect(await command.ended()).toBe(0);
    expect(command.said).toMatch(/attempt 1[\s\S]*second[\s\S]*\nTask 2: succeeded\.\n$/);
  });

  test("what is not there is told with what is", async () => {
    await using home = new Home();
    await run(home, ["run", "one"]);
    expect(await run(home, ["logs", "latest", "2"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("there is no task 2"),
    });
    expect((await run(home, ["logs", "latest", "1", "--attempt", "4"])).err).toContain(
      "it has had 1 attempt.",
    );
    expect((await run(home, ["logs", "latest"])).err).toContain("N is missing");
  });

  test("every recorded transcript of the real claude can be read", async () => {
    const folder = `${import.meta.dir}/fixtures/recorded`;
    for (const name of filesIn(folder).filter((file) => file.endsWith(".ndjson"))) {
      const lines = new LineCutter().push(readFileSync(`${folder}/${name}`));
      const kinds = lines.flatMap(partsOf).map(({ kind }) => kind);
      if (!name.includes(".in.")) expect(kinds).not.toContain("unread");
      if (name === "tool-bash.ndjson")
        expect(kinds).toEqual(["started", "said", "called", "returned", "said", "ended"]);
    }
  });
});

describe("wait", () => {
  test("prints a line for each task as it ends, and stays until the batch has ended", async () => {
    await using home = new Home();
    const gate = home.file("gate");
    await run(home, ["run", "--detach", "quick", `[[wait-for-file path=${gate}]]`]);
    // One that has ended before is told as well.
    using store = home.store();
    await eventually(
      () => store.list()[0]?.counts.succeeded === 1,
      () => "the quick one does not end",
    );
    await using command = new Following(home, ["wait", "latest"]);
    await command.says("1/2  task 1  succeeded");
    expect(command.said).not.toContain("task 2");
    await Bun.write(gate, "");
    expect(await command.ended()).toBe(0);
    expect(command.said).toContain("2/2  task 2  succeeded");
    expect(command.said).toContain(": All 2 tasks succeeded.");
  });

  test("exits with 1 when a task did not succeed, and --json prints how it ended", async () => {
    await using home = new Home();
    await run(home, ["run", "one", "[[max-turns]]"]);
    const { code, out } = await run(home, ["wait", "latest", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ state: "finished", failed: [{ taskIndex: 2 }] });
  });

  test("ending it does not end the batch", async () => {
    await using home = new Home();
    const gate = home.file("gate");
    const started = home.file("started");
    await run(home, ["run", "--detach", `[[touch path=${started}]] [[wait-for-file path=${gate}]]`, "two"]);
    {
      await using command = new Following(home, ["wait", "latest"]);
      await command.says("task 2");
    }
    await eventually(
      () => existsSync(started),
      () => "the first session does not start",
    );
    await Bun.write(gate, "");
    expect((await run(home, ["wait", "latest"])).code).toBe(0);
  });
});
