// Processes of Windows as its own calls show them, and the jobs of sessions. Under Wine, a job keeps its name as long as a
// process is in it; on Windows only as long as somebody has it open, which `session-jobs.ts` takes care of.
import { afterAll, expect } from "bun:test";
import { join } from "node:path";
import { killTree } from "../../src/platform/kill-tree.ts";
import { memoryNow } from "../../src/platform/memory.ts";
import { identityOf, livenessOf, ownIdentity, signalProcess } from "../../src/platform/process.ts";
import { ownHome } from "../../src/platform/process-home.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import { commandOf, lookForMarkers, processTable, sessionAround } from "../../src/platform/process-table.ts";
import { treesOf } from "../../src/platform/process-trees.ts";
import { gatherSession, gatherSessionAgain, releaseSession } from "../../src/platform/session-groups.ts";
import { markerVariable } from "../../src/platform/session-variables.ts";
import { availableMemory, kernel32, wide } from "../../src/platform/windows/libraries.ts";
import { right, withProcess } from "../../src/platform/windows/process-list.ts";
import { leaveName } from "../../src/platform/windows/session-jobs.ts";
import { testNeeding } from "../facilities.ts";

const testOnWindows = testNeeding("Windows");
/** The right to ask a job. */
const query = 4;
const source = join(import.meta.dir, "../../src/platform");

/** Ended after the tests, whatever they found. */
const started: ProcessIdentity[] = [];
afterAll(() => {
  for (const process of started) signalProcess(process, "SIGKILL");
});

/** Prints its pid, and waits until it is ended. */
const waits = "console.log(process.pid); setInterval(() => {}, 1e6);";
/** Starts one that waits, in no group of its own parent, and prints its pid. Then it ends or waits. */
const startsOne = (thenWaits: boolean) => `
  const child = Bun.spawn([process.execPath, "-e", ${JSON.stringify(waits)}],
    { stdout: "pipe", stdin: "ignore", stderr: "ignore", detached: true });
  for await (const bytes of child.stdout) {
    console.log(process.pid + " " + Buffer.from(bytes).toString().trim());
    break;
  }
  ${thenWaits ? "setInterval(() => {}, 1e6)" : "process.exit(0)"};`;

/** Starts a script as a session is started, and returns the pids that it prints. `between`: before it can do anything. */
async function start(script: string, marker: string, between: (pid: number) => void = () => undefined) {
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, [markerVariable]: marker },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
    detached: true,
  });
  between(child.pid);
  let line = "";
  for await (const bytes of child.stdout) {
    line += Buffer.from(bytes).toString();
    if (line.includes("\n")) break;
  }
  const pids = line.trim().split(" ").map(Number);
  const identities = pids.flatMap((pid) => identityOf(pid) ?? []);
  started.push(...identities);
  return { child, pids, identities };
}

/** Resolves when none of these lives. Windows ends a process after the call that asked for it has returned. */
async function gone(processes: readonly ProcessIdentity[]): Promise<void> {
  while (processes.some((one) => livenessOf(one) === "alive")) await Bun.sleep(5);
}

const newMarker = () => `b-test/${Bun.randomUUIDv7()}`;

testOnWindows("a process is known by the time of its creation", async () => {
  const { child, identities } = await start(waits, newMarker());
  const [identity] = identities;
  if (!identity) throw new Error("it was not found");
  expect(identity.startTicks).toMatch(/^\d{18}$/);
  expect(BigInt(identity.startTicks) > BigInt(ownIdentity().startTicks)).toBe(true);
  expect(livenessOf(identity)).toBe("alive");
  // Its pid was used by another process: before, or before the machine was started again.
  const earlier = { ...identity, startTicks: String(BigInt(identity.startTicks) - 1n) };
  expect(livenessOf(earlier)).toBe("dead");
  expect(signalProcess(earlier, "SIGKILL")).toBe(false);
  expect(livenessOf(identity)).toBe("alive");
  expect(signalProcess(identity, "SIGKILL")).toBe(true);
  await child.exited;
  expect(livenessOf(identity)).toBe("dead");
  expect(livenessOf({ ...identity, machine: "another" })).toBe("unknown");
});

testOnWindows("a machine is known by its id in the registry", () => {
  expect(ownHome().machine).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i);
});

testOnWindows("the memory that is left is some of what there is", () => {
  const { totalBytes, availableBytes } = memoryNow();
  expect(availableMemory()).toBeNumber();
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThan(totalBytes);
});

testOnWindows("the table of processes shows parents, times of creation and memory", async () => {
  const { pids, identities } = await start(startsOne(true), newMarker());
  const [parent = 0, child = 0] = pids;
  const table = processTable();
  expect(table.get(parent)?.parent).toBe(process.pid);
  expect(table.get(child)?.parent).toBe(parent);
  expect(table.get(child)?.startTicks).toBe(identities[1]?.startTicks ?? "");
  expect(commandOf(child)).toEqual([process.execPath, "-e", waits]);
  const [root] = identities;
  if (!root) throw new Error("it was not found");
  const tree = treesOf(new Map([["it", root]])).get("it");
  expect(tree?.members.map(({ pid }) => pid).sort()).toEqual([...pids].sort());
  expect(tree?.bytes).toBeGreaterThan(2 * 5_000_000);
  killTree(root);
  await gone(identities);
});

testOnWindows("what a session started is in its job, even if its parent has ended", async () => {
  const marker = newMarker();
  const { child, identities } = await start(startsOne(false), marker, (pid) => gatherSession(marker, pid));
  await child.exited;
  const left = identities.filter((one) => one.pid !== child.pid);
  expect(left).toHaveLength(1);
  expect(lookForMarkers(new Set([marker])).byMarker.get(marker)).toEqual(left);
  expect(processTable().get(left[0]?.pid ?? 0)?.group).toBe(child.pid);
  for (const one of left) signalProcess(one, "SIGKILL");
  await gone(left);
  expect(lookForMarkers(new Set([marker])).byMarker.get(marker)).toBeUndefined();
  releaseSession(marker);
});

testOnWindows("a session and everything in its job end at one moment", async () => {
  const marker = newMarker();
  const { child, identities } = await start(startsOne(true), marker, (pid) => gatherSession(marker, pid));
  const [root] = identities;
  if (!root) throw new Error("it was not found");
  expect(treesOf(new Map([["it", root]])).get("it")?.members).toHaveLength(2);
  killTree(root);
  await child.exited;
  await gone(identities);
  releaseSession(marker);
});

testOnWindows("what is to be spared outlives its session, but not the others in the job", async () => {
  const marker = newMarker();
  const { child, identities } = await start(startsOne(true), marker, (pid) => gatherSession(marker, pid));
  const [root, spared] = identities;
  if (!root || !spared) throw new Error("they were not found");
  killTree(root, ({ pid }) => pid === spared.pid);
  await child.exited;
  await gone([root]);
  expect(livenessOf(spared)).toBe("alive");
  expect(lookForMarkers(new Set([marker])).byMarker.get(marker)).toEqual([spared]);
  signalProcess(spared, "SIGKILL");
  releaseSession(marker);
});

testOnWindows("the job of a session is found again when the process that made it has ended", async () => {
  const marker = newMarker();
  // Starts a session as a runner does, and ends without it.
  const runner = `
    const { gatherSession } = await import(${JSON.stringify(join(source, "session-groups.ts"))});
    const child = Bun.spawn([process.execPath, "-e", ${JSON.stringify(startsOne(true))}],
      { stdout: "pipe", stdin: "ignore", stderr: "ignore", detached: true });
    gatherSession(${JSON.stringify(marker)}, child.pid);
    for await (const bytes of child.stdout) { process.stdout.write(bytes); break; }
    process.exit(0);`;
  const { child, pids, identities } = await start(runner, "another");
  await child.exited;
  expect(identities.map(livenessOf)).toEqual(["alive", "alive"]);
  const found = lookForMarkers(new Set([marker])).byMarker.get(marker) ?? [];
  expect(found.map(({ pid }) => pid).sort()).toEqual([...pids].sort());
  const [root] = identities;
  if (!root) throw new Error("it was not found");
  gatherSessionAgain(marker, root.pid);
  expect(processTable().get(pids[1] ?? 0)?.group).toBe(root.pid);
  killTree(root);
  await gone(identities);
  releaseSession(marker);
});

testOnWindows(
  "a job keeps its name as long as a process of its session lives, also without its maker",
  async () => {
    const name = wide(`test-${crypto.randomUUID()}`);
    const isThere = () => {
      const handle = kernel32().OpenJobObjectW(query, 0, name);
      if (handle !== 0n) kernel32().CloseHandle(handle);
      return handle !== 0n;
    };
    // Nobody is put into it, so that Wine keeps the name by handles alone too, as Windows does.
    const job = kernel32().CreateJobObjectW(null, name);
    const { identities } = await start(startsOne(true), newMarker(), (pid) =>
      withProcess(pid, right.duplicateHandle, (session) => leaveName(job, session)),
    );
    kernel32().CloseHandle(job);
    const [session, child] = identities;
    if (!session || !child) throw new Error("they were not found");
    expect(isThere()).toBe(true);
    signalProcess(session, "SIGKILL");
    await gone([session]);
    expect(isThere()).toBe(true);
    signalProcess(child, "SIGKILL");
    await gone([child]);
    while (isThere()) await Bun.sleep(5);
  },
);

testOnWindows("a session without a job is found by its environment", async () => {
  const marker = newMarker();
  const { identities } = await start(startsOne(true), marker);
  const found = lookForMarkers(new Set([marker, newMarker()])).byMarker;
  expect([...found.keys()]).toEqual([marker]);
  const pids = (processes: readonly ProcessIdentity[] = []) => processes.map(({ pid }) => pid).sort();
  expect(pids(found.get(marker))).toEqual(pids(identities));
  for (const one of identities) signalProcess(one, "SIGKILL");
});

testOnWindows("a session within the job of a client gets one of its own, which ends alone", async () => {
  const [ofClient, marker] = [newMarker(), newMarker()];
  const { child, identities } = await start(startsOne(true), ofClient, (pid) => gatherSession(ofClient, pid));
  const [client, session] = identities;
  if (!client || !session) throw new Error("they were not found");
  gatherSession(marker, session.pid);
  const inJob = (of: string) =>
    lookForMarkers(new Set([of]))
      .byMarker.get(of)
      ?.map(({ pid }) => pid);
  expect(inJob(marker)).toEqual([session.pid]);
  expect(inJob(ofClient)?.sort()).toEqual([client.pid, session.pid].sort());
  killTree(session);
  await gone([session]);
  expect(livenessOf(client)).toBe("alive");
  killTree(client);
  await child.exited;
  releaseSession(marker);
  releaseSession(ofClient);
});

testOnWindows("a session that starts more and more processes ends with all of them", async () => {
  const marker = newMarker();
  const more = `
    console.log(process.pid);
    setInterval(() => Bun.spawn([process.execPath, "-e", "setInterval(() => {}, 1e6)"],
      { stdin: "ignore", stdout: "ignore", stderr: "ignore", detached: true }), 20);`;
  const { child, identities } = await start(more, marker, (pid) => gatherSession(marker, pid));
  const found = () => lookForMarkers(new Set([marker])).byMarker.get(marker) ?? [];
  while (found().length < 5) await Bun.sleep(5);
  const [root] = identities;
  if (!root) throw new Error("it was not found");
  killTree(root);
  await child.exited;
  await gone(found());
  expect(found()).toEqual([]);
  releaseSession(marker);
});

testOnWindows("a process of a session finds the session that it runs in", async () => {
  const marker = newMarker();
  const asks = `
    const { sessionAround } = await import(${JSON.stringify(join(source, "process-table.ts"))});
    console.log(sessionAround(process.env)?.pid + " " + process.pid);
    setInterval(() => {}, 1e6);`;
  const outer = `
    const child = Bun.spawn([process.execPath, "-e", ${JSON.stringify(asks)}],
      { stdout: "inherit", stdin: "ignore", stderr: "ignore" });
    setInterval(() => {}, 1e6);`;
  const { child, pids } = await start(outer, marker, (pid) => gatherSession(marker, pid));
  expect(pids[0]).toBe(child.pid);
  expect(sessionAround({ [markerVariable]: marker })).toBeUndefined();
  const root = identityOf(child.pid);
  if (root) killTree(root);
  releaseSession(marker);
});
