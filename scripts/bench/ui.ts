// What the server of pages costs, in processor time: while nobody looks, and while twenty pages follow a running batch.
import { join } from "node:path";
import { z } from "zod";
import { Store } from "../../src/store/store.ts";
import { begin, end, foundBatch } from "./page.ts";
import { processorMsOf } from "./processor-time.ts";
import { limitLine, type Row, Skipped } from "./row.ts";
import type { Workshop } from "./workshop.ts";

const tasks = 2_000;
const running = 32;
const pages = 20;
/** Each session says something new so often. */
const activityMs = 2_000;
/** One task ends so often, and another one begins. */
const taskMs = 1_000;
/** Within half a minute of its start, a Bun process tidies up by itself, and then no more. */
const warmUpMs = { idle: 30_000, followed: 6_000 };
const measuredMs = 20_000;
/** Of a processor. */
const most = { idle: 0.001, followed: 0.05 };

const printed = z.object({ address: z.string() });

export const ui: Row = {
  name: "ui",
  measure: async (workshop) => {
    if (process.platform !== "linux") throw new Skipped("it reads /proc, which only Linux has");
    const directory = workshop.newDirectory();
    const environment = workshop.environmentIn(directory);
    using store = new Store(environment["PARALLEL_CLAUDE_STATE_DIRECTORY"] ?? join(directory, "state"));
    const { log, epoch } = foundBatch(store, directory, tasks);
    // So many run, the others have ended or wait.
    const open = log.state.tasks.filter(({ status }) => status === "running").map(({ number }) => number);
    for (const task of open.slice(running)) end(log, epoch, task);
    await using server = await served(workshop, environment);
    const share = async (warmUp: number): Promise<number> => {
      await Bun.sleep(warmUp);
      const [before, from] = [processorMsOf(server.pid), performance.now()];
      await Bun.sleep(measuredMs);
      return (processorMsOf(server.pid) - before) / (performance.now() - from);
    };
    const idle = await share(warmUpMs.idle);
    const current = open.slice(0, running);
    let said = 0;
    const saying = setInterval(() => {
      const task = current[said++ % current.length] ?? 1;
      store.setActivities(log.batchId, new Map([[task, `Read src/engine/file-${said}.ts`]]));
    }, activityMs / running);
    const working = setInterval(() => {
      const [ended] = current.splice(0, 1);
      const next = log.state.tasks.find(({ status }) => status === "queued")?.number;
      if (ended === undefined || next === undefined) return;
      end(log, epoch, ended);
      begin(log, epoch, next);
      current.push(next);
    }, taskMs);
    try {
      const followers = await Promise.all(
        Array.from({ length: pages }, () => follow(server.address, `/batches/${log.batchId}`)),
      );
      const followed = await share(warmUpMs.followed);
      const heard = followers.map(({ bytes }) => bytes());
      for (const { gone } of followers) gone();
      if (Math.min(...heard) === 0) throw new Error("A page has heard of nothing.");
      return [
        limitLine("nobody looks", idle, percentText, most.idle),
        limitLine(`${pages} pages of a running batch of ${tasks}`, followed, percentText, most.followed),
      ];
    } finally {
      clearInterval(saying);
      clearInterval(working);
    }
  },
};

/** The server as somebody starts it, until disposed of. */
async function served(workshop: Workshop, environment: Record<string, string>) {
  const child = Bun.spawn([await workshop.program(), "ui", "--no-open", "--json"], {
    cwd: workshop.directory,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const end = async () => {
    child.kill();
    await child.exited;
  };
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of child.stdout) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("\n}\n")) break;
  }
  const { address } = printed.parse(JSON.parse(text));
  const entered = await fetch(address);
  await entered.body?.cancel();
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { pid: child.pid, address: { origin: new URL(address).origin, cookie }, [Symbol.asyncDispose]: end };
}

/** A page as a browser has it: it is loaded, and then hears of what changes. */
async function follow({ origin, cookie }: { origin: string; cookie: string }, path: string) {
  const headers = { Cookie: cookie };
  const page = await (await fetch(`${origin}${path}`, { headers })).text();
  const mark = /data-mark="([^"]+)"/.exec(page)?.[1] ?? "";
  const ended = new AbortController();
  const { body } = await fetch(`${origin}${path}/events?since=${encodeURIComponent(mark)}`, {
    headers,
    signal: ended.signal,
  });
  let bytes = 0;
  void (async () => {
    for await (const piece of body ?? new ReadableStream<Uint8Array>()) bytes += piece.length;
  })().catch(() => {
    // Nobody listens any more.
  });
  return { bytes: () => bytes, gone: () => ended.abort() };
}

function percentText(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 3 : 2)} %`;
}
