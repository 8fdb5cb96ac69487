// Holds the fake `claude` to recordings of 2.1.332, over whole conversations (`fixtures/scenarios.ts`).
import { describe, expect, test } from "bun:test";
import { testNeeding } from "./facilities.ts";
import { differences } from "./fixtures/likeness.ts";
import recordings from "./fixtures/recorded/2.1.332/index.json";
import { messagesIn, type Running, start, streaming, temporaryFolder } from "./fixtures/run-fake-claude.ts";
import { prompt, type Scenario, type Step, scenarios, stopTask } from "./fixtures/scenarios.ts";

const recorded = new Map(Object.entries(recordings));

describe("2.1.332: says what the real one was seen to say:", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const isSignalled = scenario.steps.some((step) => "signal" in step);
    const one = isSignalled ? testNeeding("signals that can be heard") : test.concurrent;
    one(name, async () => {
      using folder = temporaryFolder();
      await using claude = start({
        args: [...streaming, ...(scenario.args ?? [])],
        env: environmentOf(scenario),
        stdin: "open",
        cwd: folder.path,
      });
      await takeAll(scenario.steps, claude, folder.path);
      claude.end();
      const { stdout, stderr, exitCode } = await claude.finished();
      const expected = messagesIn(
        await Bun.file(`${import.meta.dir}/fixtures/recorded/2.1.332/${name}.ndjson`).text(),
      );
      expect(differences(expected, messagesIn(asTheRealPrompts(stdout, scenario.steps)))).toEqual([]);
      expect({ stderr, exitCode }).toEqual(recorded.get(name) ?? { stderr: "", exitCode: -1 });
    });
  }
});

function environmentOf({ subscription, env }: Scenario): Record<string, string | undefined> {
  const login = subscription ? { ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: "made-up" } : {};
  return { FAKE_CLAUDE_VERSION: "2.1.332", CLAUDE_CODE_MAX_RETRIES: "1", ...login, ...env };
}

async function takeAll(steps: readonly Step[], claude: Running, folder: string): Promise<void> {
  let taskId = "";
  for (const step of steps) {
    if ("fake" in step) claude.send(prompt(step.fake));
    else if ("line" in step) claude.send(step.line);
    else if ("stop" in step) claude.send(stopTask(taskId));
    else if ("signal" in step) claude.kill(step.signal);
    else if ("open" in step) await Bun.write(`${folder}/${step.open}`, "");
    else {
      for (;;) {
        const line = await claude.nextLine();
        if (line === undefined) throw new Error(`stdout ended without ${step.until}`);
        const message: Record<string, unknown> = JSON.parse(line);
        if (message["subtype"] === "task_started") taskId = String(message["task_id"]);
        if (message["type"] !== step.until) continue;
        if (step.subtype === undefined || message["subtype"] === step.subtype) break;
      }
    }
  }
}

/** What was printed, with the prompts that the real one had in the place of ours. */
function asTheRealPrompts(stdout: string, steps: readonly Step[]): string {
  const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);
  return steps.reduce(
    (text, step) => ("fake" in step ? text.replaceAll(inJson(step.fake), inJson(step.real)) : text),
    stdout,
  );
}
