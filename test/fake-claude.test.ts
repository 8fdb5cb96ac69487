// Holds the fake `claude` to recordings of the real one, so that tests with the fake say something about both.
import { describe, expect, test } from "bun:test";
import { describeNeeding } from "./facilities.ts";
import { differences } from "./fixtures/likeness.ts";
import recordings from "./fixtures/recorded/index.json";
import { messagesIn, run, start, streaming, userLine } from "./fixtures/run-fake-claude.ts";

const four = '[[answer text="The answer is 4."]]';
const ls = '[[tool input=\'{"command":"ls"}\' output="README.md\\napp.js\\nnew.txt"]]';

/** Prompts that make the fake print what was recorded, by the name of the recording. */
const prompts: Record<string, string> = {
  "success-stream": four,
  "success-stream-partial": four,
  "no-tools": four,
  bare: four,
  "mcp-failed": four,
  thinking: '[[thinking text="Let me add two and two."]][[answer text=4]]',
  "tool-bash":
    '[[answer text="I will list the files."]][[tool input=\'{"command":"ls","description":"List files"}\']][[answer text="There are two files."]]',
  "tool-write-accepted":
    '[[tool name=Write input=\'{"file_path":"/home/user/project/new.txt","content":"hi\\n"}\']][[answer text="Written."]]',
  "tool-denied-bash": '[[denied tool=Bash text="I was not allowed to run the tests."]]',
  "tool-denied-write": "[[denied tool=Write path=/home/user/project/x.txt]]",
  "tool-bash-fails":
    '[[tool input="ls missing; exit 3" fails output="Exit code 3\\nls: cannot access \'missing\': No such file or directory"]][[answer text="It failed."]]',
  "tool-bash-timeout":
    '[[tool input=\'{"command":"sleep 30","timeout":1500}\' fails output="Exit code 143\\nCommand timed out after 1s"]][[answer text="It timed out."]]',
  "max-turns": "[[max-turns]]",
  structured: '[[structured value=\'{"answer":4}\' bad=\'{"answer":"four"}\']]',
  "structured-never": "[[structured-never]]",
  "error-400": "[[error status=400]]",
  "error-401-api-key": "[[error status=401]]",
  "error-not-logged-in": "[[not-logged-in]]",
  "error-429": "[[error status=429 retries=2]]",
  "error-429-retry-after-61": "[[error status=429]]",
  "error-500": "[[error status=500 retries=2]]",
  "error-529": "[[error status=529 retries=2]]",
  "error-after-tool": `${ls}[[error status=500]]`,
  "error-connection-refused": "[[error connection=refused retries=1]]",
  "error-connection-cut": "[[error connection=reset retries=1]]",
  "error-timeout": "[[error connection=timeout retries=1]]",
  "retry-schedule-429": "[[error status=429 retries=10]]",
  "retry-schedule-connection-refused": "[[error connection=refused retries=10]]",
  "max-output-tokens": "[[max-output-tokens]]",
  refusal: "[[refusal]]",
  "fallback-overloaded": '[[model-fallback]][[answer text="Answered by the fallback."]]',
  "fallback-last-resort": '[[answer text="Answered by the fallback."]]',
  "rate-limit-event": `${four}[[rate-limit-event status=allowed_warning]]`,
  "rate-limit-rejected": "[[usage-limit resets-at=1895346000]]",
  subagent: '[[subagent]][[answer text="The agent counted two files."]]',
  "background-bash": "[[background-task]]",
  "background-bash-killed": '[[background-task killed command="sleep 7600001" text="Started it."]]',
  "slash-unknown": "/nosuchcmd foo",
};

/** The version of which these recordings are. */
const old = { FAKE_CLAUDE_VERSION: "2.1.197" };

describe("prints what the real one was seen to print:", () => {
  for (const [name, prompt] of Object.entries(prompts)) {
    test.concurrent(name, async () => {
      const recording = recordingCalled(`${name}.ndjson`);
      const args = recording.argv.slice(1).map((word) => (word === "<prompt>" ? prompt : word));
      const noKey = name === "error-not-logged-in" || "CLAUDE_CODE_OAUTH_TOKEN" in recording.env;
      const env = { ...old, ...recording.env, ...(noKey && { ANTHROPIC_API_KEY: undefined }) };
      const { stdout, stderr, exitCode } = await run({ args, env });
      expect(differences(await recorded(`${name}.ndjson`), messagesIn(stdout))).toEqual([]);
      expect({ stderr, exitCode }).toEqual({ stderr: recording.stderr, exitCode: recording.exit_code });
    });
  }

  test.concurrent("hooks", async () => {
    const before = "[[hook before-init]]";
    const during =
      '[[hook event=PreToolUse name="PreToolUse:Bash" output="checked\\n"]]' +
      '[[tool input=ls output="README.md\\napp.js\\nnew.txt"]]';
    // The real hook runs between a call and its result, the fake's before the call.
    const { stdout } = await run({
      args: [...streaming],
      env: old,
      lines: [userLine(`${before}${during}[[answer text="Done."]]`)],
    });
    const kinds = (messages: Record<string, unknown>[]) =>
      messages.filter((message) => String(message["subtype"]).startsWith("hook"));
    expect(differences(kinds(await recorded("hooks.ndjson")), kinds(messagesIn(stdout)))).toEqual([]);
  });
});

/** What goes to stdin, by the name of the recording; a string waits for a message of that type. */
const dialogues: Record<string, readonly (string | object)[]> = {
  "two-prompts": [prompt("[[answer text=4]]"), "result", prompt("[[answer text=6]]")],
  queued: [prompt("[[answer text=one]]"), prompt("[[answer text=two]]")],
  "error-then-ok": [
    prompt('[[error status=400 message="messages: invalid"]]'),
    prompt("[[answer text=fine]]"),
  ],
  "error-last": [prompt("[[answer text=fine]]"), prompt('[[error status=400 message="messages: invalid"]]')],
  interrupt: [
    prompt("[[hang]]"),
    "system",
    interrupt("r1"),
    "result",
    prompt('[[answer text="still here"]]'),
  ],
  "interrupt-bash": [prompt('[[tool input="sleep 7700001" hang]]'), "assistant", interrupt("r1")],
  initialize: [
    { type: "control_request", request_id: "i1", request: { subtype: "initialize" } },
    prompt("[[answer text=4]]"),
  ],
  clear: [prompt("[[answer text=4]]"), prompt("/clear"), prompt("[[answer text=6]]")],
  replay: [prompt("[[answer text=4]]")],
  "eof-only": [],
};

describe("talks over stdin as the real one was seen to:", () => {
  for (const [name, dialogue] of Object.entries(dialogues)) {
    test.concurrent(name, async () => {
      const recording = recordingCalled(`stream-input-${name}.out.ndjson`);
      await using claude = start({ args: recording.argv.slice(1), env: old, stdin: "open" });
      for (const step of dialogue) {
        if (typeof step === "string") await claude.until(step);
        else claude.send(step);
      }
      claude.end();
      const { stdout, exitCode } = await claude.finished();
      const expected = await recorded(recording.file);
      const actual = messagesIn(stdout.replaceAll(/("content":)"\[\[.*?\]\]"/g, '$1"What is 2+2?"'));
      expect(differences(expected, actual)).toEqual([]);
      expect(exitCode).toBe(recording.exit_code);
    });
  }

  test("a line that is no JSON ends it at once", async () => {
    const recording = recordingCalled("stream-input-bad-json.out.ndjson");
    await using claude = start({ args: streaming, stdin: "open" });
    claude.sendText("this is not json\n");
    expect(await claude.finished()).toMatchObject({ stdout: "", stderr: recording.stderr, exitCode: 1 });
  });

  test("a message of another role ends it at once", async () => {
    const { stderr, exitCode } = await run({ args: streaming, lines: [{ type: "user", message: {} }] });
    expect(stderr).toBe("Error: Expected message role 'user', got 'undefined'\n");
    expect(exitCode).toBe(1);
  });

  test("blank lines and unknown types are passed over", async () => {
    await using claude = start({ args: streaming, stdin: "open" });
    claude.sendText("\n   \n");
    claude.send({ type: "from_the_future" });
    claude.send(userLine([{ type: "text", text: "in blocks" }]));
    expect(await claude.until("result")).toMatchObject({ result: "Answer to: in blocks" });
  });

  test("costs add up over the process, turns do not", async () => {
    const { stdout } = await run({
      args: streaming,
      lines: ["[[cost usd=0.25]]", "[[cost usd=0.5]]"].map(userLine),
    });
    const results = messagesIn(stdout).filter((message) => message["type"] === "result");
    expect(results.map((result) => [result["total_cost_usd"], result["num_turns"]])).toEqual([
      [0.25, 1],
      [0.75, 1],
    ]);
  });
});

describeNeeding("signals that can be heard")("ends by signals as the real one was seen to:", () => {
  const bypass = ["--dangerously-skip-permissions"];
  const cases = [
    { name: "sigint-while-streaming", prompt: "[[unfinished]]", signal: "SIGINT", args: [] },
    { name: "sigint-in-bash", prompt: '[[tool input="sleep 7600002" hang]]', signal: "SIGINT", args: bypass },
    {
      name: "sigterm-in-bash",
      prompt: '[[tool input="sleep 7600003" hang]]',
      signal: "SIGTERM",
      args: bypass,
    },
  ] as const;
  for (const { name, prompt: asked, signal, args } of cases) {
    test.concurrent(name, async () => {
      await using claude = start({ args: [...streaming, ...args], env: old, stdin: "open" });
      claude.send(userLine(asked));
      await claude.until("assistant");
      claude.kill(signal);
      const { stdout, exitCode } = await claude.finished();
      const expected = await recorded(`${name}.ndjson`);
      expect(differences(expected.map(withoutText), messagesIn(stdout).map(withoutText))).toEqual([]);
      expect(exitCode).toBe(recordingCalled(`${name}.ndjson`).exit_code);
    });
  }

  test("told to ignore everything, it outlives them all", async () => {
    await using claude = start({ args: streaming, stdin: "open" });
    claude.send(userLine("[[ignore-everything]][[answer]][[hang]]"));
    await claude.until("assistant");
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) claude.kill(signal);
    claude.send(interrupt("r1"));
    // The next request is answered, so all before it have been passed over.
    claude.send({ type: "control_request", request_id: "i1", request: { subtype: "initialize" } });
    expect(await claude.until("control_response")).toMatchObject({ response: { request_id: "i1" } });
    claude.kill("SIGKILL");
    expect(await claude.finished()).toMatchObject({ signal: "SIGKILL" });
  });
});

function prompt(content: string): object {
  return { type: "user", message: { role: "user", content } };
}

function interrupt(requestId: string): object {
  return { type: "control_request", request_id: requestId, request: { subtype: "interrupt" } };
}

function recordingCalled(file: string): (typeof recordings)[number] {
  const found = recordings.find((recording) => recording.file === file);
  if (!found) throw new Error(`there is no recording ${file}`);
  return found;
}

async function recorded(file: string): Promise<Record<string, unknown>[]> {
  return messagesIn(await Bun.file(`${import.meta.dir}/fixtures/recorded/${file}`).text());
}

/** For replies of which only the shape can be compared. */
function withoutText(message: Record<string, unknown>): Record<string, unknown> {
  return message["type"] === "assistant"
    ? JSON.parse(JSON.stringify(message).replace(/"text":"(?:[^"\\]|\\.)*"/, '"text":""'))
    : message;
}
