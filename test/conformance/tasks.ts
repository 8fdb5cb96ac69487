// Tools that are answered with a task, by our own Tasks extension. The tasks live in memory, for all requests of a door.
import { type McpServer, ProtocolErrorCode, type ServerContext } from "@modelcontextprotocol/server";
import { z } from "zod";
import {
  createdTask,
  type DetailedTask,
  serveTasks,
  type TaskSource,
  takesTasks,
  tasksRequired,
} from "../../src/doors/mcp/task-extension.ts";
import { question, userName } from "./rounds.ts";
import type { Toolbox } from "./toolbox.ts";

const said = (text: string) => ({ content: [{ type: "text" as const, text }] });

/** What has come of a task: the call's own result, or an error of the protocol. */
type Outcome = Pick<DetailedTask, "result"> | Pick<DetailedTask, "error">;

export class FixtureTasks implements TaskSource {
  readonly #tasks = new Map<string, DetailedTask>();

  /** Begins a task that ends by itself. */
  begin(outcome: Outcome, afterMs: number): DetailedTask {
    const task = this.#add({ status: "working" });
    setTimeout(() => this.#end(task.taskId, outcome), afterMs).unref();
    return task;
  }

  /** Begins a task that ends when all questions are answered. */
  ask(inputRequests: Record<string, unknown>): DetailedTask {
    return this.#add({ status: "input_required", inputRequests });
  }

  async get(taskId: string): Promise<DetailedTask | undefined> {
    return this.#tasks.get(taskId);
  }

  async update(taskId: string, inputResponses: Record<string, unknown>): Promise<boolean> {
    const task = this.#tasks.get(taskId);
    if (task?.status !== "input_required") return task !== undefined;
    const open = Object.entries(task.inputRequests ?? {}).filter(([key]) => !(key in inputResponses));
    this.#change(taskId, { inputRequests: Object.fromEntries(open) });
    if (open.length === 0) this.#end(taskId, { result: said("All is answered.") });
    return true;
  }

  async cancel(taskId: string): Promise<boolean> {
    const task = this.#tasks.get(taskId);
    if (task && !isOver(task)) this.#change(taskId, { status: "cancelled" });
    return task !== undefined;
  }

  #add(begins: Pick<DetailedTask, "status" | "inputRequests">): DetailedTask {
    const now = new Date().toISOString();
    const task = {
      taskId: crypto.randomUUID(),
      createdAt: now,
      lastUpdatedAt: now,
      ttlMs: null,
      pollIntervalMs: 50,
      ...begins,
    };
    this.#tasks.set(task.taskId, task);
    return task;
  }

  #end(taskId: string, outcome: Outcome): void {
    const task = this.#tasks.get(taskId);
    if (!task || isOver(task)) return;
    this.#change(taskId, { status: "error" in outcome ? "failed" : "completed", ...outcome });
  }

  // Nothing is asked for any more where the status says so.
  #change(taskId: string, change: Partial<DetailedTask>): void {
    const task = this.#tasks.get(taskId);
    if (!task) return;
    const { inputRequests, ...changed } = { ...task, ...change, lastUpdatedAt: new Date().toISOString() };
    const asking = changed.status === "input_required" && inputRequests ? { inputRequests } : {};
    this.#tasks.set(taskId, { ...changed, ...asking });
  }
}

/** The tools, and what is asked about their tasks. */
export function serveTaskTools(server: McpServer, tools: Toolbox, tasks: FixtureTasks): void {
  serveTasks(server, tasks);
  tools.addWith("greet", z.object({ name: z.string() }), ({ name }) => said(`Hello, ${name}!`));
  tools.addWith(
    "slow_compute",
    z.object({ seconds: z.number(), label: z.string().optional() }),
    async ({ seconds, label }, request) => {
      const result = said(`Computed ${label ?? "something"}.`);
      if (takesTasks(request)) return created(tasks.begin({ result }, seconds * 1_000));
      await Bun.sleep(seconds * 1_000);
      return result;
    },
  );
  const taskOnly = (name: string, task: (request: ServerContext) => DetailedTask) =>
    tools.add(name, (request) => {
      if (!takesTasks(request)) throw tasksRequired();
      return created(task(request));
    });
  taskOnly("failing_job", () => tasks.begin({ result: { ...said("It failed."), isError: true } }, 100));
  const error = { code: ProtocolErrorCode.InternalError, message: "It broke." };
  taskOnly("protocol_error_job", () => tasks.begin({ error }, 100));
  const confirm = question("Are you sure?", "confirm", "boolean");
  taskOnly("confirm_delete", () => tasks.ask({ confirm }));
  taskOnly("multi_input", () => tasks.ask({ name: question("Who are you?", "name"), confirm }));
  tools.add("test_tool_with_task", (request) => {
    const user = userName(request);
    if (!("name" in user)) return user;
    if (!takesTasks(request)) throw tasksRequired();
    return created(tasks.begin({ result: said(`Hello, ${user.name}!`) }, 100));
  });
}

// Of a task that was just begun, only that.
function created({ result, error, inputRequests, ...task }: DetailedTask) {
  return createdTask(task);
}

function isOver({ status }: DetailedTask): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}
