// A server with everything that the conformance suite asks for, behind our own HTTP door. It says of itself what the
// product says of itself, so that the suite asks for no more.
import { McpServer } from "@modelcontextprotocol/server";
import { type HttpDoor, openHttp } from "../../src/doors/mcp/http/serve.ts";
import { tasksExtension } from "../../src/doors/mcp/task-extension.ts";
import { serveSubscriptions } from "../../src/doors/mcp/updates.ts";
import { serveContents } from "./contents.ts";
import { addConversations } from "./conversations.ts";
import { serveRounds, states } from "./rounds.ts";
import { FixtureTasks, serveTaskTools } from "./tasks.ts";
import { Toolbox } from "./toolbox.ts";

/** The door on a free port, which takes this token. */
export function openFixture(token: string): HttpDoor {
  const tasks = new FixtureTasks();
  return openHttp({ host: "127.0.0.1", port: 0 }, token, { server: ({ era }) => newServer(era, tasks) });
}

function newServer(era: "legacy" | "modern", tasks: FixtureTasks): McpServer {
  const server = new McpServer(
    { name: "conformance", version: "1.0.0" },
    {
      requestState: { verify: states.verify },
      capabilities: {
        logging: {},
        tools: { listChanged: false },
        prompts: { listChanged: false },
        completions: {},
        resources: { subscribe: true, listChanged: true },
        ...(era === "modern" ? { extensions: { [tasksExtension]: {} } } : {}),
      },
    },
  );
  const tools = new Toolbox(server);
  serveContents(server, tools);
  addConversations(tools);
  serveSubscriptions(server, era);
  if (era === "modern") {
    serveRounds(server, tools);
    serveTaskTools(server, tools, tasks);
  }
  tools.serve();
  return server;
}
