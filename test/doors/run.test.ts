// `run` in the foreground, in the process of the test, with a `claude` that is a few lines of shell.
import { describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { runCommandLine } from "../../src/doors/cli/cli.ts";
import { refusedText } from "../../src/doors/cli/input/attended.ts";
import { Printer } from "../../src/doors/cli/terminal/terminal.ts";
import { emptyInputText } from "../../src/model/shell-quoted.ts";
import { identityOf, livenessOf } from "../../src/platform/process.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { eventually } from "../harness.ts";
import { failed, Inside } from "../inside.ts";
import { onCommandLine } from "./command-line.ts";
import { ownProgram } from "./own-program.ts";
import { Command } from "./own-terminal.ts";

const init = { type: "system", subtype: "init", session_id: "s", model: "opus-4", apiKeySource: "none" };
const result = (more: object) => ({
  type: "result",
  subtype: "success",
  is_error: false,
  num_turns: 2,
  duration_ms: 5,
  total_cost_usd: 0.5,
  session_id: "s",
  permission_denials: [],
  ...more,
});
const initialized = {
  type: "control_response",
  response: { subtype: "success", request_id: "begin", response: {} },
};
const refusal = { text: "Not logged in · Please run /login", error: "authentication_failed" };

/** Whose `claude` does what a word of its prompt says. */
function ready(more: Record<string, string> = {}): Inside {
  const inside = new Inside(more);
  const say = (...messages: object[]) =>
    messages.map((message) => `echo '${JSON.stringify(message)}'`).join("; ");
  inside.script(
    "bin/claude",
    'if [ "$*" = --version ]; then echo "2.1.332 (Claude Code)"; exit; fi',
    "while read -r line; do",
    "  case $line in",
    `  *'"user"'*) ${say(init)}`,
    "    case $line in",
    "    *patient*) echo $$ > patient.pid ;;",
    "    *gated*) while [ ! -e gate ]; do sleep 0.05; done; exit ;;",
    "    *deaf*) sleep 600 & echo $! > child.pid; echo $$ > deaf.pid; wait ;;",
    `    *object*) ${say(result({ result: "", structured_output: { a: 1 } }))}; exit ;;`,
    `    *turns*) ${say(result({ subtype: "error_max_turns", is_error: true }))}; exit 1 ;;`,
    `    *login*) ${say(
      {
        type: "assistant",
        error: refusal.error,
        message: { model: "<synthetic>", content: [{ type: "text", text: refusal.text }] },
      },
      result({ is_error: true, result: refusal.text, total_cost_usd: 0 }),
    )}; exit 1 ;;`,
    `    *) ${say(result({ result: "the answer" }))}; exit ;;`,
    "    esac ;;",
    `  *initialize*) ${say(initialized)} ;;`,
    "  *interrupt*) exit ;;",
    "  esac",
    "done",
  );
  return inside;
}

/** A command line that runs these tasks out of a file, so that standard input is nobody's. */
function running(inside: Inside, tasks: string[], ...flags: string[]): string[] {
  inside.write("work/tasks.txt", tasks.map((task) => `${task}\n`).join(""));
  return ["run", "-f", "tasks.txt", "--concurrency", "4", ...flags];
}

function pidIn(inside: Inside, name: string): number | undefined {
  try {
    const pid = Number(readFileSync(inside.file(`work/${name}.pid`), "utf8"));
    return pid > 0 ? pid : undefined;
  } catch {
    // Not written yet.
    return undefined;
  }
}

async function identityIn(inside: Inside, name: string) {
  await eventually(
    () => pidIn(inside, name) !== undefined,
    () => `${name} runs`,
  );
  const identity = identityOf(pidIn(inside, name) ?? 0);
  if (!identity) throw new Error(`${name} has gone`);
  return identity;
}

describeNeeding("programs that are scripts")("run", () => {
  test("prints the answer of a single task, and all else on standard error", async () => {
    using inside = ready();
    const { code, out, err } = await onCommandLine(inside, running(inside, ["say it"]));
    expect({ code, out }).toEqual({ code: 0, out: "the answer\n" });
    expect(err).toMatch(
      /^Batch \w{8}: 1 task, at most 4 at once\. Files go to .*\n1\/1 {2}task 1 {2}succeeded {2}[\d.]+ (?:ms|s) {2}\$0\.50 {2}say it\nThe task succeeded\. .*\nReport: /,
    );
    expect(err).not.toContain("\x1b");
  });

  test("prints an answer that has a schema as JSON, and of a failed task none", async () => {
    using inside = ready();
    const schema = ["--json-schema", '{"type":"object"}'];
    const { out } = await onCommandLine(inside, running(inside, ["an object"], ...schema));
    expect(JSON.parse(out)).toEqual({ a: 1 });
    const none = await onCommandLine(inside, running(inside, ["all turns"]));
    expect(none).toMatchObject({ code: 1, out: "" });
    expect(none.err).toContain("Reached its turn limit");
  });

  test("of several tasks prints answers only with --json, and fails where one fails", async () => {
    using inside = ready();
    const plain = await onCommandLine(inside, running(inside, ["one", "all turns"]));
    expect(plain).toMatchObject({ code: 1, out: "" });
    expect(plain.err).toContain("All 2 tasks ended: 1 succeeded, 1 failed.");
    const { code, out } = await onCommandLine(inside, running(inside, ["one", "two"], "--json"));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      state: "finished",
      results: [{ taskIndex: 1, result: "the answer" }, { taskIndex: 2 }],
    });
  });

  testNeeding("Linux")("draws what runs in a terminal, and leaves what has ended", async () => {
    using inside = ready();
    await using command = new Command(inside, running(inside, ["patient", "quick"]), { isPiped: true });
    const { terminal } = command;
    await terminal.shows(/1\/2 {2}task 2 {2}succeeded .*\n {2}1 .* · patient\n.* 1\/2\n {2}1 running/);
    expect(terminal.screen.cursorShown).toBe(false);
    command.signal("SIGTERM");
    expect(await command.ended).toBe(143);
    expect(terminal.screen.cursorShown).toBe(true);
    expect(terminal.screen.text).not.toContain("1 running");
  });

  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ] as const)
    testNeeding("Linux")(
      `${signal} stops what runs, says where the results are, and gives its status`,
      async () => {
        using inside = ready();
        const listeners = () =>
          ["SIGINT", "SIGTERM", "SIGHUP", "exit"].map((name) => process.listenerCount(name));
        const before = listeners();
        await using command = new Command(inside, running(inside, ["patient", "next"], "--concurrency", "1"));
        const session = await identityIn(inside, "patient");
        command.signal(signal);
        expect(await command.ended).toBe(status);
        expect(listeners()).toEqual(before);
        const { text } = command.terminal.screen;
        expect(text.replaceAll(/\s+/g, " ")).toContain(
          "Stopping the running sessions. Press Ctrl-C again to kill them at once. Results so far are in ",
        );
        expect(text).toContain("Cancelled by the user: 0 of 2 tasks done");
        expect(livenessOf(session)).not.toBe("alive");
        const [row] = inside.context().store.list();
        expect(row).toMatchObject({ cancelledBy: "user", counts: { cancelled: 2 } });
        expect(row?.endedAt).toBeNumber();
      },
    );

  testNeeding("Linux")("a second signal kills the sessions and what they have started, at once", async () => {
    using inside = ready();
    await using command = new Command(inside, running(inside, ["deaf"]));
    const processes = [await identityIn(inside, "deaf"), await identityIn(inside, "child")];
    command.signal("SIGINT");
    await command.terminal.shows("Press Ctrl-C");
    expect(processes.map(livenessOf)).toEqual(["alive", "alive"]);
    command.signal("SIGTERM");
    expect(await command.ended).toBe(130);
    expect(processes.map(livenessOf)).not.toContain("alive");
    expect(inside.context().store.list()[0]).toMatchObject({ cancelledBy: "user", counts: { cancelled: 1 } });
  });

  test("stops its sessions where nobody reads its progress and its answers any more", async () => {
    using inside = ready();
    using unread = pipeOf(inside);
    const before = process.cwd();
    process.chdir(inside.work);
    const ended = runCommandLine(running(inside, ["patient", "gated"]), {
      out: new Printer({ fd: unread.fd }),
      err: new Printer({ fd: unread.fd }),
    });
    const session = await identityIn(inside, "patient");
    unread.close();
    // Only what is written shows that nobody reads.
    inside.write("work/gate", "");
    expect(await ended).toBe(141);
    process.chdir(before);
    expect(livenessOf(session)).not.toBe("alive");
  });

  test("goes on where somebody reads its answers, though nobody reads its progress", async () => {
    using inside = ready();
    using unread = pipeOf(inside);
    unread.close();
    const out = openSync(inside.file("answer.txt"), "w");
    const before = process.cwd();
    process.chdir(inside.work);
    const ended = runCommandLine(running(inside, ["quick"]), {
      out: new Printer({ fd: out }),
      err: new Printer({ fd: unread.fd }),
    });
    expect(await ended).toBe(0);
    process.chdir(before);
    closeSync(out);
    expect(await Bun.file(inside.file("answer.txt")).text()).toBe("the answer\n");
  });

  test("does not wait for a login where nobody is there, and says so with a status of its own", async () => {
    using inside = ready({ CI: "1" });
    const { code, out, err } = await onCommandLine(inside, running(inside, ["login", "two"]));
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain("Claude is not logged in. To use a credential from the environment, ");
    expect(err).toContain("To wait, add `--wait-for-login`.");
  });
});

/** A pipe that is read until it is closed. */
function pipeOf(inside: Inside): { fd: number; close(): void } & Disposable {
  const path = inside.file("pipe");
  Bun.spawnSync(["mkfifo", path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, "w");
  return { fd, close: () => closeSync(reader), [Symbol.dispose]: () => closeSync(fd) };
}

describe("whether somebody is there", () => {
  testNeeding("a terminal of one's own")("is asked of the terminals of the process", async () => {
    using inside = new Inside();
    const script = inside.write(
      "attended.ts",
      `import { isAttended } from ${JSON.stringify(require.resolve("../../src/doors/cli/input/attended.ts"))};\nprocess.exit(isAttended() ? 10 : 11);`,
    );
    const command = [process.execPath, script];
    const nobody = Bun.spawn(command, { env: process.env, stdio: ["ignore", "ignore", "ignore"] });
    const inTerminal = (CI: string) =>
      Bun.spawn(command, {
        env: { ...process.env, CI },
        terminal: { cols: 80, rows: 24, data: () => undefined },
      });
    const all = [nobody, ...["", "true", "0", "No"].map(inTerminal)];
    expect(await Promise.all(all.map(({ exited }) => exited))).toEqual([11, 10, 11, 10, 10]);
  });

  test("decides what is said of a batch that needs a person", () => {
    using inside = new Inside();
    const batch = inside.batch(inside.context(), { tasks: 2 }).end(1, failed);
    expect(refusedText(batch.log.state, false)).toBeUndefined();
    batch.end(2, { kind: "failed", reason: "billing", message: "" });
    const words = "The API refuses the account for billing reasons. Add credit, or pay outstanding invoices.";
    expect(refusedText(batch.log.state, true)).toBe(words);
    expect(refusedText(batch.log.state, false)).toBe(
      `${words} \`run\` has not waited for that, because there is no terminal, or \`CI\` is set. To wait, add \`--wait-for-login\`.`,
    );
  });
});

describe("a task on the command line", () => {
  const dryRun = (inside: Inside, words: string[]) => onCommandLine(inside, ["run", "--dry-run", ...words]);

  test("is not taken for one where it is a file, a directory, a pattern or a dash", async () => {
    using inside = new Inside();
    inside.write("work/notes.txt", "x");
    inside.write("work/sub/x", "x");
    const cases: [word: string, told: RegExp][] = [
      [
        "notes.txt",
        /^"notes\.txt" is a file here, and no task\. .*`run (['"])Review notes\.txt\1`.*`-f notes\.txt`/,
      ],
      ["sub", /^"sub" is a directory here, and no task\. .*`--working-directory sub`/],
      ["src/*.ts", /^"src\/\*\.ts" is a pattern that matches no file here, and no task\. /],
      ["*.md", /^"\*\.md" is a pattern/],
      ["-", /^`-` is no task\. To read tasks from standard input, write `-f -`\./],
    ];
    for (const [word, told] of cases) {
      const { code, err } = await dryRun(inside, [word]);
      expect(code).toBe(2);
      expect(err).toMatch(told);
    }
    const several = await dryRun(inside, ["a*.x", "b*.x", "c*.x", "d*.x", "e*.x", "f*.x", "g*.x", "g*.x"]);
    expect(several.err).toMatch(/^6 problems:\n/);
    expect(several.err).toContain('\n- "e*.x" is');
    expect(several.err).not.toContain('"f*.x"');
    expect(several.err).toContain("\n- 2 more of this kind\n");
    const five = await dryRun(inside, ["a*.x", "b*.x", "c*.x", "d*.x", "e*.x"]);
    expect(five.err).toMatch(/^5 problems:\n/);
    expect(five.err).not.toContain("more of this kind");
  });

  test("gets what is piped in, and so do several", async () => {
    using inside = new Inside();
    const tasks = async (words: string[], stdin: string) => {
      const { out, err, code } = await ownProgram(inside, ["run", "--dry-run", "--json", ...words], stdin);
      return {
        tasks: code === 0 ? JSON.parse(out).tasks.map(({ task }: { task: string }) => task) : out,
        err,
      };
    };
    inside.write("work/list.txt", "from the file\n");
    const [one, two, literal, blank, file, both] = await Promise.all([
      tasks(["Explain"], "some text"),
      tasks(["Explain", "Shorten"], "some text"),
      tasks(["--", "list.txt"], " \n"),
      tasks(["-f", "-"], "first\nsecond\n"),
      tasks(["-f", "list.txt"], "some text"),
      tasks(["Explain", "-f", "-"], "second\n"),
    ]);
    expect(one).toEqual({
      tasks: ["Explain\nsome text"],
      err: `The task gets what was piped in (9 bytes). Add ${emptyInputText()} to leave it out.\n`,
    });
    expect(two.tasks).toEqual(["Explain\nsome text", "Shorten\nsome text"]);
    expect(two.err).toStartWith("Each of the 2 tasks gets what was piped in");
    expect(literal).toEqual({ tasks: ["list.txt"], err: "" });
    expect(blank).toEqual({ tasks: ["first", "second"], err: "" });
    expect(file).toEqual({ tasks: ["from the file"], err: "" });
    expect(both).toEqual({ tasks: ["Explain", "second"], err: "" });
  });

  test("is missed, with what one can write, and standard input must be text", async () => {
    using inside = new Inside();
    const [piped, none, binary] = await Promise.all([
      ownProgram(inside, ["run"], "text"),
      ownProgram(inside, ["run"]),
      ownProgram(inside, ["run", "--dry-run", "Explain"], "a\0b"),
    ]);
    expect(piped.err).toStartWith(
      "there is no task. If standard input has tasks, one per line, write `run -f -`.",
    );
    expect(none.err).toStartWith("there is no task: write one after `run`, or name a file");
    expect(binary.err).toStartWith("standard input is not text. ");
    expect([piped, none, binary].map(({ code }) => code)).toEqual([2, 2, 2]);
  });
});

describe("run --detach", () => {
  test("answers at once; processes of its own run the batch to its end", async () => {
    using inside = ready();
    const { code, out } = await ownProgram(inside, running(inside, ["one", "two"], "--detach"));
    expect(code).toBe(0);
    const [, batchId = ""] =
      /^Batch (\w{8}) has started with 2 tasks, at most 4 at once\.\nResults go to .*\nFollow it: .* watch \1\nSee its page: .* open \1\n/.exec(
        out,
      ) ?? [];
    const waited = await onCommandLine(inside, ["wait", batchId]);
    expect(waited.code).toBe(0);
    const json = await ownProgram(inside, running(inside, ["three"], "--detach", "--json"));
    expect(JSON.parse(json.out)).toMatchObject({ totalTasks: 1, outputDirectory: inside.output });
    expect((await onCommandLine(inside, ["wait", "latest"])).out).toContain("The task succeeded.");
  });
});
