// Requests that are no calls of tools, with params that are missing, of another type, or name nothing that there is: what is
// wrong comes back as a sentence of ours.
import { expect, test } from "bun:test";
import { Client as OlderClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { EmptyResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { Home, program } from "./harness.ts";
import { RawClient, tasksExtension } from "./raw-client.ts";

const missing = "is missing: expected text.";
const wrongIds: [object, string][] = [
  [{}, `\`taskId\` ${missing}`],
  [{ taskId: null }, "`taskId` must be text."],
  [{ taskId: 4 }, "`taskId` must be text."],
  [{ taskId: ["a"] }, "`taskId` must be text."],
  [{ taskId: "" }, "`taskId` is empty."],
  [{ taskId: "no-such-task" }, "There is no task no-such-task."],
];

test.each(["tasks/get", "tasks/update", "tasks/cancel"])(
  "%s says what is wrong with its id",
  async (method) => {
    await using home = new Home();
    await using client = new RawClient(home, { extensions: { [tasksExtension]: {} } });
    for (const [params, message] of wrongIds)
      expect(await client.ask(method, params)).toMatchObject({ error: { code: -32602, message } });
  },
);

test.each(["resources/subscribe", "resources/unsubscribe"])(
  "%s says what is wrong with its address",
  async (method) => {
    await using home = new Home();
    const client = new OlderClient({ name: "test", version: "1" });
    const [command = "", ...args] = program();
    await client.connect(new StdioClientTransport({ command, args, cwd: home.work, env: home.environment }));
    // As the server writes it; the client puts its code before it.
    const answerTo = (params: Record<string, unknown>) =>
      client.request({ method, params }, EmptyResultSchema).catch((error: unknown) => String(error));
    expect(await answerTo({})).toEndWith(`-32602: \`uri\` ${missing}`);
    expect(await answerTo({ uri: 4 })).toEndWith("-32602: `uri` must be text.");
    expect(await answerTo({ uri: "batch://bcdfghjk" })).toEqual({});
    await client.close();
  },
);
