// Which functions a server runs, in the order in which it first runs them. The compiler then puts their bytecode together, at
// the front of the executable, and a process reads only that part into its memory.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** When a server is stopped that does not end by itself, in milliseconds. */
const patienceMs = 60_000;

/**
 * The profiles of servers, one for a client of each era, for `bun build --bytecode-order`. They are the same for every
 * target. `program`: compiled with the same flags.
 */
export async function bytecodeOrdersOf(program: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "pccm-order-"));
  try {
    const batchId = await fill(join(folder, "state"));
    return [await orderOf(program, folder, newer(batchId)), await orderOf(program, folder, older(batchId))];
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

// An ended batch, so that there is something to list and to read.
async function fill(state: string): Promise<string> {
  // Only now, because a build begins without packages.
  const [{ newBatchId }, { Store }] = await Promise.all([
    import("../src/model/batch-id.ts"),
    import("../src/store/store.ts"),
  ]);
  using store = new Store(state);
  const batch = {
    batchId: newBatchId(),
    startedBy: "run" as const,
    asyncMode: true,
    tasks: [{ prompt: "a task" }, { prompt: "another one" }],
    sessionOptions: {},
    concurrency: 2,
    failureMode: "continue" as const,
    outputDirectory: join(state, "output"),
    claudePath: "claude",
    workingDirectory: state,
  };
  const log = store.create(
    { type: "batch-created", batch, account: { hash: "", environment: {} } },
    Date.now(),
  );
  log.append(() => [{ type: "cancel-requested", by: "user" }, { type: "batch-ended" }]);
  return batch.batchId;
}

interface Request {
  method: string;
  params?: object;
}

/** What a client of this batch may call. */
const calls = (batchId: string): Request[] =>
  [
    { name: "list_batches", arguments: {} },
    { name: "wait_for_batch", arguments: { batchId, waitSeconds: 0 } },
    { name: "read_batch_results", arguments: { batchId } },
    { name: "list_batches", arguments: {} },
  ].map((params) => ({ method: "tools/call", params }));

function older(batchId: string): Request[] {
  const clientInfo = { name: "build", version: "1.0.0" };
  return [
    { method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } },
    { method: "tools/list" },
    ...calls(batchId),
  ];
}

function newer(batchId: string): Request[] {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "build", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  return [{ method: "tools/list" }, ...calls(batchId)].map(({ method, params }) => ({
    method,
    params: { ...params, _meta },
  }));
}

async function orderOf(program: string, folder: string, requests: readonly Request[]): Promise<string> {
  const profile = join(folder, "profile");
  const lines = requests.map(
    (request, index) => `${JSON.stringify({ jsonrpc: "2.0", id: index + 1, ...request })}\n`,
  );
  const server = Bun.spawn([program], {
    cwd: folder,
    env: {
      ...process.env,
      HOME: folder,
      USERPROFILE: folder,
      PARALLEL_CLAUDE_STATE_DIRECTORY: join(folder, "state"),
      BUN_BYTECODE_ORDER_OUT: profile,
    },
    stdin: new Blob(lines),
    stdout: "pipe",
    stderr: "pipe",
    timeout: patienceMs,
  });
  const [code, out, err] = await Promise.all([server.exited, server.stdout.text(), server.stderr.text()]);
  const isAnswered = requests.every((_, index) => out.includes(`"id":${index + 1}`));
  if (code !== 0 || !isAnswered || out.includes('"isError":true'))
    throw new Error(`The compiled server ended with ${code}, and did not answer as expected: ${err}${out}`);
  return readFileSync(profile, "utf8");
}
