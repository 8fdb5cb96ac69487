// What the page of a long session costs: the process that writes it, and a browser that opens it.
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { newBatchId } from "../../src/model/batch-id.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import { Store } from "../../src/store/store.ts";
import { ready } from "./page.ts";
import { limitLine, megabytesText, msText, type Row } from "./row.ts";

const transcriptBytes = 50_000_000;
const mostPeakBytes = 100_000_000;
const mostReadyMs = 1_500;

export const session: Row = {
  name: "session",
  measure: async (workshop) => {
    const directory = workshop.newDirectory();
    const environment = workshop.environmentIn(directory);
    const transcript = join(directory, "session.ndjson");
    writeTranscript(transcript, transcriptBytes);
    const batchId = found(join(directory, "state"), directory, transcript);
    const page = join(directory, "session.html");
    const command = [await workshop.program(), "logs", batchId, "1", "--page", page];
    const cost = await workshop.cost(command, environment);
    const figure = `page of a session, transcript of ${megabytesText(transcriptBytes)}`;
    return [
      limitLine(`${figure}, written in`, cost.wallMs, msText),
      limitLine(`${figure}, peak memory`, cost.peakBytes, megabytesText, mostPeakBytes),
      limitLine(`${figure}, its size`, Bun.file(page).size, megabytesText),
      await ready(`${figure}, ready in a browser`, page, mostReadyMs),
    ];
  },
};

export function found(state: string, directory: string, transcript: string): string {
  using store = new Store(state);
  const batch = {
    batchId: newBatchId(),
    startedBy: "run" as const,
    asyncMode: true,
    tasks: [{ prompt: "Make all tests pass" }],
    sessionOptions: {},
    concurrency: 1,
    failureMode: "continue" as const,
    outputDirectory: directory,
    claudePath: "/nowhere/claude",
    workingDirectory: directory,
  };
  const account = { hash: "bench", environment: {} };
  const log = store.create({ type: "batch-created", batch, account }, Date.now());
  const epoch = log.takeOver(ownIdentity());
  const attempt = { task: 1, attempt: 1 };
  const sessionId = crypto.randomUUID();
  log.append(
    () => [
      { type: "attempt-started", ...attempt, identity: ownIdentity(), sessionId, transcript },
      { type: "attempt-ended", ...attempt, outcome: { kind: "succeeded", length: 5, offset: 0 } },
      { type: "batch-ended" },
    ],
    epoch,
  );
  return log.batchId;
}

/** A transcript as a long session writes it: words, thoughts, commands, edits, files of all sizes, subagents. */
export function writeTranscript(path: string, bytes: number): void {
  const file = openSync(path, "w");
  let [written, count] = [0, 0];
  const put = (message: object) => {
    const line = `${JSON.stringify(message)}\n`;
    written += writeSync(file, line);
  };
  const text = (length: number) =>
    `${count} Lorem ipsum dolor sit amet, consectetur <b>elit</b>.\n`
      .repeat(Math.ceil(length / 50))
      .slice(0, length);
  const assistant = (content: object, parent: string | null = null) => {
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 700,
      cache_read_input_tokens: 90_000,
      output_tokens: 1,
    };
    const message = { id: `msg_${count}`, role: "assistant", content: [content], usage };
    put({ type: "assistant", message, parent_tool_use_id: parent });
  };
  const result = (id: string, content: string, parent: string | null = null, isError = false) => {
    const given = { type: "tool_result", tool_use_id: id, content, is_error: isError };
    put({ type: "user", message: { role: "user", content: [given] }, parent_tool_use_id: parent });
  };
  const call = (name: string, input: object, output: string, parent: string | null = null) => {
    const id = `toolu_${++count}`;
    assistant({ type: "tool_use", id, name, input }, parent);
    result(id, output, parent, count % 9 === 0);
    return id;
  };
  put({ type: "system", subtype: "init", model: "opus", session_id: "s", mcp_servers: [] });
  while (written < bytes) {
    count++;
    assistant({ type: "thinking", thinking: text(600) });
    assistant({ type: "text", text: `## Step ${count}\n\n- ${text(300)}\n\n\`\`\`ts\n${text(200)}\`\`\`` });
    call("Bash", { command: `npm test -- ${count}` }, text(4_000));
    call("Read", { file_path: `/src/${count}.ts` }, text(count % 50 === 0 ? 3_000_000 : 9_000));
    call("Edit", { file_path: `/src/${count}.ts`, old_string: text(900), new_string: text(1_100) }, "ok");
    const agent = `toolu_${++count}`;
    assistant({
      type: "tool_use",
      id: agent,
      name: "Agent",
      input: { description: "look", prompt: text(200) },
    });
    for (let step = 0; step < 5; step++) call("Grep", { pattern: `x${step}` }, text(1_500), agent);
    result(agent, text(1_000));
  }
  put({
    type: "result",
    subtype: "success",
    num_turns: count,
    duration_ms: 9e6,
    result: "Done.",
    total_cost_usd: 9,
  });
  closeSync(file);
}
