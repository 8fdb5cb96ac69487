// `bun run release:verify`: installs what is in `dist/` by every channel that this machine can run, outside the checkout, and
// uses each as users do. What it cannot check, it names. With `--twice` it also builds the release again, out of a clone of the
// same commit, and compares byte by byte.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle } from "./verify/bundle.ts";
import type { Channel } from "./verify/channel.ts";
import { checkedArtifacts } from "./verify/checksums.ts";
import { brewedFormula, formula } from "./verify/formula.ts";
import { elsewhere, here } from "./verify/here.ts";
import { imitated, imitatedTarget } from "./verify/imitated.ts";
import { installer } from "./verify/installer.ts";
import { LocalRegistry } from "./verify/local-registry.ts";
import { npmChannels } from "./verify/npm.ts";
import { sameAgain } from "./verify/same-again.ts";
import { type Row, tableOf } from "./verify/table.ts";
import { use } from "./verify/use.ts";

const flags = Bun.argv.slice(2);
const unknown = flags.find((flag) => flag !== "--twice");
if (unknown !== undefined) {
  console.error(`release:verify knows nothing of ${unknown}; there is --twice.`);
  process.exit(2);
}
const twice = flags.length > 0;
const place = realpathSync(mkdtempSync(join(tmpdir(), "pccm-release-")));
const rows: Row[] = [];

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    interruption.abort();
    clear();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });

try {
  // What is not whole, or not there, need not be installed.
  if (await row("checksums", async () => ({ seen: `${await checkedArtifacts()} artifacts` }))) {
    for (const channel of [installer, bundle, brewedFormula, formula, imitated]) await tryChannel(channel);
    await tryNpm();
    if (twice) await row("the same build again", async () => ({ seen: await sameAgain(place) }));
  }
} finally {
  clear();
}
for (const target of elsewhere.filter((one) => one !== imitatedTarget))
  rows.push({
    channel: `programs for ${target.name}`,
    notChecked: `this machine is ${here?.name ?? "none of ours"}`,
  });

console.log(`\n${tableOf(rows)}\n`);
const count = (what: (row: Row) => boolean) => rows.filter(what).length;
const failed = count((one) => "failed" in one);
console.log(
  `${count((one) => "seconds" in one)} checked, ${count((one) => "notChecked" in one)} not checked, ${failed} failed`,
);
process.exitCode = failed === 0 ? 0 : 1;

function clear(): void {
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
}

async function tryNpm(): Promise<void> {
  await using registry = new LocalRegistry(join(place, "registry"), interruption.signal);
  const published = await row("npm publish", async () => {
    const started = await registry.start();
    return started ?? { seen: `${await registry.publish()} packages, to a registry on loopback` };
  });
  if (published) for (const channel of npmChannels(registry.url)) await tryChannel(channel);
}

async function tryChannel(channel: Channel): Promise<void> {
  await row(channel.name, async () => {
    const folder = mkdtempSync(join(place, "channel-"));
    const installed = await channel.install(folder);
    if ("notChecked" in installed) return installed;
    const { commands, environment = {}, seen, withoutBatch } = installed;
    for (const command of commands) await use(command, environment, { withoutBatch });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    return commands.length === 0 ? { seen: seen ?? "" } : { names: commands.length, seen, withoutBatch };
  });
}

type Checked =
  | { names?: number; withoutBatch?: true | undefined; seen?: string | undefined }
  | { notChecked: string };

// True where it was checked, and is good.
async function row(channel: string, check: () => Promise<Checked>): Promise<boolean> {
  const began = performance.now();
  process.stdout.write(`${channel} … `);
  const result = await check().catch((error: unknown) => ({
    failed: error instanceof Error ? error.message : String(error),
  }));
  const seconds = (performance.now() - began) / 1000;
  console.log(
    "failed" in result ? `failed: ${result.failed}` : "notChecked" in result ? "not checked" : "good",
  );
  const good = !("failed" in result || "notChecked" in result);
  rows.push(good ? { channel, seconds, ...result } : { channel, ...result });
  return good;
}
