// What the server costs while it waits, and how soon it lists the batches of a store that has many.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { newBatchId } from "../../src/model/batch-id.ts";
import { Store } from "../../src/store/store.ts";
import { newerClient } from "../../test/harness.ts";
import { limitLine, median, megabytesText, msText, type Row, Skipped } from "./row.ts";

const batches = 1000;
const calls = 1000;
/** After so long without a call, the memory that calls took has been given back, in milliseconds. */
const idleMs = 25_000;

export const door: Row = {
  name: "door",
  async measure(workshop) {
    if (!existsSync("/proc/self/status")) throw new Skipped("it reads /proc, which only Linux has");
    const state = join(workshop.newDirectory(), "state");
    fill(state);
    const transport = new StdioClientTransport({
      command: await workshop.program(),
      args: [],
      cwd: workshop.newDirectory(),
      env: { ...workshop.environment, PARALLEL_CLAUDE_STATE_DIRECTORY: state },
      stderr: "ignore",
    });
    const client = newerClient("bench");
    await client.connect(transport);
    try {
      await client.listTools();
      const listed = residentBytes(transport.pid);
      const times: number[] = [];
      for (let count = 0; count < calls; count++) times.push(await listTime(client));
      const busy = residentBytes(transport.pid);
      await Bun.sleep(idleMs);
      return [
        limitLine("memory of the server after the list of tools", listed, megabytesText, 70e6),
        { figure: `memory of the server after ${calls} calls`, value: megabytesText(busy) },
        limitLine(`  and ${idleMs / 1000} s without one`, residentBytes(transport.pid), megabytesText, 70e6),
        limitLine(`list_batches with ${batches} batches in the store`, median(times), msText, 20),
      ];
    } finally {
      await client.close();
    }
  },
};

function fill(state: string): void {
  using store = new Store(state);
  for (let count = 1; count <= batches; count++) {
    const batch = {
      batchId: newBatchId(),
      startedBy: "run" as const,
      asyncMode: true,
      tasks: [{ prompt: `task of batch ${count}` }],
      sessionOptions: {},
      concurrency: 2,
      failureMode: "continue" as const,
      outputDirectory: "/nowhere",
      claudePath: "/bin/true",
      workingDirectory: "/",
    };
    const log = store.create(
      { type: "batch-created", batch, account: { hash: "h", environment: {} } },
      count,
    );
    log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]);
  }
}

function residentBytes(pid: number | null): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

async function listTime(client: Client): Promise<number> {
  const began = performance.now();
  const answer = await client.callTool({ name: "list_batches", arguments: {} });
  const ms = performance.now() - began;
  if (answer.isError) throw new Error(`The call failed: ${JSON.stringify(answer.content)}`);
  return ms;
}
