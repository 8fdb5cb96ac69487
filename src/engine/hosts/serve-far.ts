// The process of a far keeper: one for each state directory. It listens on a socket that only its user can reach, and leaves
// when nothing runs and nobody has asked for a while.

import { conversationFile, costOfConversation } from "../../claude/conversation.ts";
import type { FoundClaude } from "../../claude/find.ts";
import { SharedDaemons } from "../../claude/shared-daemons.ts";
import { Sweeper } from "../../claude/sweep.ts";
import { farFiles } from "../../far/commands.ts";
import { newBatchId } from "../../model/batch-id.ts";
import type { Concurrency } from "../../model/options.ts";
import { clock } from "../../platform/clock.ts";
import { joined } from "../../platform/environment.ts";
import { kindAt, makePrivateDirectory, readText, realPath } from "../../platform/files.ts";
import { becomeSubreaper, reapOrphans } from "../../platform/orphans.ts";
import { absolutePath, homeDirectory, isWithin, join } from "../../platform/paths.ts";
import { livenessOf, ownIdentity } from "../../platform/process.ts";
import { processIdentity } from "../../platform/process-identity.ts";
import { processorCount } from "../../platform/processors.ts";
import { programNamed } from "../../platform/program.ts";
import { removePath } from "../../platform/removal.ts";
import { placeNewFile, removeFileWith } from "../../platform/whole-files.ts";
import { MachineSlots, startingPool } from "../../store/machine-slots.ts";
import type { Store } from "../../store/store.ts";
import { LocalHost } from "../attempt/local-host.ts";
import { missingText } from "../attempt/start-failure.ts";
import { Machine } from "../memory/machine.ts";
import { SystemResources } from "../scheduler/system-resources.ts";
import { LateWrites } from "../shared/late-writes.ts";
import { sharedCapacity, sharedSlots } from "../shared/shared-store.ts";
import { FarKeeper, type FarKeeperParts } from "./far-keeper.ts";
import { FarSlots } from "./far-slots.ts";
import { KeeperConnection, type OwnClaude } from "./keeper-connection.ts";

/** How long it stays without sessions and connections, in milliseconds. */
const idleMs = 60_000;

/** What a machine lends to others, as its own configuration says. */
export interface Lent {
  store: Store;
  /** The account's hash. */
  account: string;
  /** The environment of sessions. */
  environment: Record<string, string>;
  slots: Concurrency;
  memoryLimitMb: number | undefined;
  /** Directories that sessions may work in, with links resolved. */
  allowedRoots: readonly string[];
  /** Where `claude` is now. */
  findClaude(): FoundClaude;
  /** What its version is, and what is wrong with it. */
  claude(): Promise<OwnClaude>;
}

/** Keeps the sessions of other machines. Returns when there is nothing to keep, or another process does it. */
export async function serveFar(lent: Lent): Promise<void> {
  const folder = lent.store.layout.farFolder;
  makePrivateDirectory(folder);
  await using claim = await claimOf(join(folder, farFiles.keeper));
  if (!claim) return;
  // A socket's name may have about a hundred characters, so it is named from its folder.
  process.chdir(folder);
  await becomeSubreaper();
  using _reaping = clock.on("second", reapOrphans);
  const { keeper, look } = composed(folder, lent);
  using _keeper = keeper;
  keeper.adoptAll(claim);
  await served(keeper, lent, look);
}

/** Whose the folder is, until disposed of. Undefined if another living process has it. `wasKilled`: whether a dead one had. */
async function claimOf(path: string): Promise<(AsyncDisposable & { wasKilled: boolean }) | undefined> {
  const own = JSON.stringify(ownIdentity());
  let wasKilled = false;
  while (!(await placeNewFile(path, own, { mode: 0o600 }))) {
    const text = textOf(path);
    const owner = text === undefined ? undefined : processIdentity.safeParse(parsed(text)).data;
    if (owner && livenessOf(owner) !== "dead") return undefined;
    if (text !== undefined) await removeFileWith(path, text);
    wasKilled = true;
  }
  return { wasKilled, [Symbol.asyncDispose]: () => removeFileWith(path, own) };
}

function textOf(path: string): string | undefined {
  return kindAt(path) === "file" ? readText(path) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Half a file of a machine that stopped: nobody has it.
    return undefined;
  }
}

function composed(folder: string, lent: Lent): { keeper: FarKeeper; look: () => void } {
  const { store, account, environment, slots: most, memoryLimitMb } = lent;
  const late = new LateWrites();
  const holder = ownIdentity();
  // In the store, a keeper stands where a batch would.
  const batchId = newBatchId();
  const slotsOf = (pool: string, limit: () => number) =>
    sharedSlots(new MachineSlots(store.database, { pool, batchId, holder, limit }), pool, late);
  const limitBytes = memoryLimitMb === undefined ? undefined : memoryLimitMb * 1e6;
  const processors = processorCount();
  const capacity = sharedCapacity(store.capacity, late);
  const machine = new Machine({ capacity, batchId, holder, processors, limitBytes });
  const sweeper = new Sweeper({ shared: new SharedDaemons([]), isHeir: true });
  const resources = new SystemResources(folder);
  let running = 0;
  const keeper = new FarKeeper({
    folder,
    host: new LocalHost({ machine, sweeper, environment }),
    slots: new FarSlots({
      slots: slotsOf(account, () => (most === "auto" ? Number.POSITIVE_INFINITY : most)),
      starts: slotsOf(startingPool, () => processors),
    }),
    planOf: (start) => planOf(start, lent),
    savedConversation: (id, directory) => {
      const file = conversationFile(id, absolutePath(directory, homeDirectory()), environment);
      const cost = file === undefined ? undefined : costOfConversation(file);
      return file === undefined ? undefined : cost ? { cost } : {};
    },
    ...(most === "auto" ? {} : { slotsLimit: most }),
    whyWait: (footprintKey) => resources.lack(running) ?? machine.whyWait(footprintKey),
    started: () => {
      running++;
      resources.started();
    },
  });
  const look = () => {
    late.flush();
    if (machine.look()) keeper.evict(machine.toEvict((marker) => keeper.lossOf(marker)));
    running = keeper.runningCount;
  };
  return { keeper, look };
}

const planOf = (
  start: Parameters<FarKeeperParts["planOf"]>[0],
  { environment: base, allowedRoots, findClaude, store: { layout } }: Lent,
): ReturnType<FarKeeperParts["planOf"]> => {
  const { program, marker, initialize, variables } = start;
  const directory = absolutePath(start.directory, homeDirectory());
  const task = (message: string) => ({
    kind: "refused" as const,
    verdict: { kind: "task" as const, message },
  });
  // Working trees that were made for it are ours.
  const roots = [...allowedRoots, realPath(layout.farFolder)];
  if (!roots.some((root) => isWithin(realPath(directory), root)))
    return task(
      `${directory} is outside the allowed roots of that machine (${allowedRoots.join(", ")}); set \`allowedRoots\` in its own configuration`,
    );
  const environment = joined([base, variables]);
  const plan = { marker, initialize, environment, workingDirectory: directory };
  if (program.kind === "named") {
    const path = programNamed(program.name, directory, environment["PATH"]);
    if (path === undefined) return task(`There is no program ${program.name} that could be run.`);
    return { kind: "planned", plan: { ...plan, command: [path, ...start.arguments] } };
  }
  const claude = findClaude();
  if (claude.found) return { kind: "planned", plan: { ...plan, command: [claude.path, ...start.arguments] } };
  return { kind: "refused", verdict: { kind: "passing", because: missingText("claude") } };
};

async function served(keeper: FarKeeper, { claude }: Lent, look: () => void): Promise<void> {
  removePath(farFiles.socket);
  const { promise: isOver, resolve: leave } = Promise.withResolvers<void>();
  const connections = new Set<KeeperConnection>();
  let lastUse = performance.now();
  let isOutdated = false;
  const server = Bun.listen<{ connection: KeeperConnection; out: Outgoing }>({
    unix: farFiles.socket,
    socket: {
      open: (socket) => {
        const out = new Outgoing(socket);
        const outdated = () => {
          // Who asked starts the keeper of its own version then.
          if (keeper.isIdle && ![...connections].some(({ isUsed }) => isUsed)) leave();
        };
        const renew = () => {
          isOutdated = true;
        };
        const connection = new KeeperConnection({ keeper, line: out, claude, outdated, renew });
        socket.data = { connection, out };
        connections.add(connection);
      },
      data: ({ data: { connection } }, bytes) => connection.receive(bytes),
      drain: ({ data: { out } }) => out.drain(),
      close: ({ data: { connection } }) => {
        connections.delete(connection);
        connection[Symbol.dispose]();
        if (connection.isUsed) lastUse = performance.now();
      },
      error: () => undefined,
    },
  });
  using _beats = clock.on("beat", () => {
    look();
    for (const connection of connections) connection.sayRoom();
  });
  using _seconds = clock.on("second", () => {
    keeper.look();
    const isUsed = [...connections].some((one) => one.isUsed);
    // Runners connect again, and so start the next one.
    if (isOutdated && keeper.isIdle) leave();
    else if (isUsed || !keeper.isIdle) lastUse = performance.now();
    else if (performance.now() - lastUse > idleMs) leave();
  });
  await isOver;
  server.stop(true);
  removePath(farFiles.socket);
}

/** What goes to a socket, as fast as it takes it. How much waits is bounded by what the reader has said that it took. */
class Outgoing {
  readonly #socket: { write(bytes: Uint8Array): number; end(): void };
  #queue: Uint8Array[] = [];
  #isEnding = false;

  constructor(socket: { write(bytes: Uint8Array): number; end(): void }) {
    this.#socket = socket;
  }

  write(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    if (this.#queue.length === 1) this.drain();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#queue.length === 0) this.#socket.end();
  }

  drain(): void {
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      const written = Math.max(0, this.#socket.write(next));
      if (written < next.length) {
        this.#queue[0] = next.subarray(written);
        return;
      }
      this.#queue.shift();
    }
    if (this.#isEnding) this.#socket.end();
  }
}
