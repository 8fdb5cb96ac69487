// A minimal MCP server in Node.js on the same SDK, with as many tools and schemas about as large as ours: what
// the start of our executable is compared with.
import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const text = (description) => z.string().min(1).describe(description).optional();
const seconds = (description) => z.number().positive().max(604_800).describe(description);
const rules = (description) =>
  z
    .union([z.string(), z.array(z.string())])
    .describe(description)
    .optional();

const session = {
  workingDirectory: text("Directory the session works in; a tilde is expanded."),
  model: text("Model alias (opus, sonnet, haiku) or full name."),
  fallbackModel: text("Models to take when that one is overloaded, comma-separated."),
  effort: z.enum(["low", "medium", "high", "xhigh", "max"]).describe("How hard the model thinks.").optional(),
  agent: text("Agent definition that the session runs as."),
  allowedTools: rules("Tools that may be used without asking, comma-separated, with rules in parentheses."),
  disallowedTools: rules("Tools that may not be used, comma-separated."),
  tools: rules("The built-in tools that exist at all; an empty string means none of them."),
  systemPrompt: text("Replaces the system prompt of the session."),
  appendSystemPrompt: text("Is added to the system prompt of the session."),
  permissionMode: z
    .enum(["default", "acceptEdits", "plan", "dontAsk", "auto", "bypassPermissions"])
    .describe("What happens with what no rule allows; some require the operator's permission.")
    .optional(),
  maxTurns: z.int().min(1).describe("Ends the session after so many turns.").optional(),
  maxBudgetUsd: z.number().positive().describe("Ends the session when it has cost so much.").optional(),
  outputSchema: z.record(z.string(), z.unknown()).describe("Schema that the answer must fit.").optional(),
  mcpConfig: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())])
    .describe("Servers for the session: a file, or the configuration itself. None unless given.")
    .optional(),
  addDirectories: z.array(z.string().min(1)).describe("Further directories to work in.").optional(),
  resumeSessionId: text("Goes on with this earlier conversation, in the same working directory."),
  forkSession: z.boolean().describe("Goes on in a copy, and leaves the original as it is.").default(false),
  slashCommands: z.boolean().describe("Whether a word after a slash is a command, or text.").default(false),
  name: z.string().min(1).max(200).describe("Title of the conversation.").optional(),
  firstEventTimeoutSeconds: seconds("Time from the prompt to the first sign of life.").default(120),
  idleTimeoutSeconds: seconds("Longest silence of a running session.").default(1_200),
  timeoutSeconds: seconds("Longest time that one session may take.").default(3_600),
};
const batch = {
  batchName: z.string().min(1).max(200).describe("Name by which people know the batch.").optional(),
  asyncMode: z.boolean().describe("Answer at once; results go to files.").default(false),
  outputDirectory: text("Where result files go; the directory is made when missing."),
};
const many = {
  ...batch,
  concurrency: z.int().min(1).max(10_000).describe("Most sessions at once.").optional(),
  failureMode: z.enum(["continue", "no-new", "cancel"]).describe("After a failed task.").default("continue"),
};
const prompt = z.string().describe("What the session is asked to do.");
const counts = z.object({
  queued: z.number(),
  running: z.number(),
  succeeded: z.number(),
  failed: z.number(),
  cancelled: z.number(),
});
const state = z.enum(["running", "finished", "cancelled", "interrupted"]);
const result = z.object({
  taskIndex: z.number(),
  prompt: z.string(),
  outcome: z.enum(["succeeded", "failed", "crashed", "timed-out", "cancelled", "not-started"]),
  reason: z.string().optional(),
  result: z.string().optional(),
  truncated: z.boolean().optional(),
  sessionId: z.string().optional(),
  model: z.string().optional(),
  costUsd: z.number().optional(),
  numTurns: z.number().optional(),
  durationMs: z.number().optional(),
  resultFile: z.string().optional(),
  transcript: z.string().optional(),
});
const answer = z.object({
  batchId: z.string(),
  name: z.string().optional(),
  state,
  counts,
  message: z.string(),
  totalCostUsd: z.number(),
  outputDirectory: z.string(),
  reportFile: z.string(),
  results: z.array(result),
});
const page = { limit: z.int().min(1).max(200).default(20), offset: z.int().min(0).default(0) };
const row = z.object({
  batchId: z.string(),
  name: z.string().optional(),
  state,
  counts,
  createdAt: z.string(),
});
const batchId = z.string().min(3).describe("The batch, as the answer of its start named it.");

const tools = [
  { name: "run_one", input: { task: prompt, ...session, ...batch }, output: answer },
  {
    name: "run_many",
    input: {
      tasks: z
        .array(z.union([prompt, z.strictObject({ task: prompt, ...session })]))
        .min(1)
        .max(10_000),
      ...session,
      ...many,
    },
    output: answer,
  },
  {
    name: "wait",
    input: { batchId, waitSeconds: seconds("How long to wait.").default(45), ...page },
    output: answer,
  },
  { name: "read", input: { batchId, tasks: z.array(z.int()).optional(), ...page }, output: answer },
  { name: "retry", input: { batchId, tasks: z.array(z.int()).optional() }, output: answer },
  { name: "list", input: page, output: z.object({ total: z.number(), batches: z.array(row) }) },
  { name: "cancel", input: { batchId, tasks: z.array(z.int().min(1)).optional() }, output: answer },
];

serveStdio(() => {
  const server = new McpServer({ name: "node-server", version: "1.0.0" }, { capabilities: { tools: {} } });
  for (const { name, input, output } of tools) {
    server.registerTool(
      name,
      {
        title: name,
        description: `Does what ${name} says. ${"A few words about when to choose it among the others. ".repeat(6)}`,
        inputSchema: z.strictObject(input),
        outputSchema: output,
      },
      async () => ({ content: [] }),
    );
  }
  return server;
});
