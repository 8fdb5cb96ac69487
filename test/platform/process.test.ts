import { expect, test } from "bun:test";
import { join } from "node:path";
import { identityOf } from "../../src/platform/process.ts";
import { testNeeding } from "../facilities.ts";
import { idle } from "../idle.ts";

test("a process that has gone is dead", async () => {
  const child = Bun.spawn(idle);
  const identity = identityOf(child.pid);
  child.kill("SIGKILL");
  await child.exited;
  const { livenessOf } = await import("../../src/platform/process.ts");
  expect(identity && livenessOf(identity)).toBe("dead");
});

testNeeding("Linux")("nobody is dead for a lack of descriptors to look with", async () => {
  await using child = Bun.spawn(idle);
  const source = join(import.meta.dir, "../../src/platform/process.ts");
  const text = `const { identityOf, livenessOf } = await import(${JSON.stringify(source)});
    const { openSync } = require("node:fs");
    const living = identityOf(${child.pid});
    const before = livenessOf(living);
    try { for (;;) openSync("/dev/null", "r"); } catch {}
    console.log(before, livenessOf(living), livenessOf({ ...living, pid: 4194300 }));`;
  const { stdout } = Bun.spawnSync(["sh", "-c", 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, text]);
  expect(stdout.toString().trim()).toBe("alive unknown dead");
});
