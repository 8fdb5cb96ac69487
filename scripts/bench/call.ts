// How long a call takes that runs one task and waits for it, through the MCP door.
import type { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { variableOf } from "../../src/model/configuration.ts";
import { newerClient } from "../../test/harness.ts";
import { limitLine, median, msText, type Row } from "./row.ts";

const calls = 20;

export const call: Row = {
  name: "call",
  async measure(workshop) {
    const cwd = workshop.newDirectory();
    const env = { ...workshop.environment, [variableOf("claudePath")]: await workshop.child() };
    const transport = new StdioClientTransport({
      command: await workshop.program(),
      args: [],
      cwd,
      env,
      stderr: "ignore",
    });
    const client = newerClient("bench");
    await client.connect(transport);
    try {
      const times: number[] = [];
      // The first one makes the store.
      await answerTime(client);
      for (let count = 0; count < calls; count++) times.push(await answerTime(client));
      return [limitLine("a call that runs one task and waits for it", median(times), msText)];
    } finally {
      await client.close();
    }
  },
};

async function answerTime(client: Client): Promise<number> {
  const began = performance.now();
  const answer = await client.callTool({
    name: "spawn_claude_session",
    arguments: { task: "What is 2 + 2?" },
  });
  const ms = performance.now() - began;
  if (answer.isError) throw new Error(`The call failed: ${JSON.stringify(answer.content)}`);
  return ms;
}
