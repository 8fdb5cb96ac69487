// What a fleet answers is not remembered: what its sessions have read is on other machines, and cannot be compared here.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeNeeding } from "../facilities.ts";
import { asked } from "../fake-notes.ts";
import { run } from "../harness.ts";
import { OwnFleet } from "./own-fleet.ts";

describeNeeding("redis")("an unchanged task of a template", () => {
  test("runs again on a fleet, and its answer from this machine is used there too", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    writeFileSync(join(home.work, "a.txt"), "a");
    await fleet.worker("box-1");
    const batch = ["run", "--template", "Read {{file}}", "--for-each", "*.txt", "--tools", "Read"];
    const onFleet = [...batch, "--fleet", "team"];
    for (const count of [1, 2]) {
      expect((await run(home, onFleet)).code).toBe(0);
      expect(asked(home)).toHaveLength(count);
    }
    expect((await run(home, batch)).code).toBe(0);
    expect(asked(home)).toHaveLength(3);
    expect((await run(home, onFleet)).code).toBe(0);
    expect(asked(home)).toHaveLength(3);
  }, 120_000);
});
