// The batches in which a worker of a fleet runs jobs.
import { expect } from "bun:test";
import { join } from "node:path";
import { testNeeding } from "../facilities.ts";
import { Home, ofProgram } from "../harness.ts";

testNeeding("programs that are scripts")(
  "jobs that run at the same time share a batch, in which each ends by itself, and which goes with the last of them",
  async () => {
    await using home = new Home();
    const program = join(import.meta.dir, "jobs-in-batches.ts");
    await using child = Bun.spawn([process.execPath, program, home.file("gate")], {
      cwd: home.work,
      env: { ...home.environment, ...ofProgram },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect(err).toBe("");
    expect(JSON.parse(out)).toEqual({
      // With a budget, each has its own.
      alike: [true, false, false],
      apart: true,
      stopped: "cancelled",
      whileStopped: "running",
      others: ["succeeded", "succeeded"],
      answered: "succeeded",
      transcript: [true, false],
      stays: true,
      folder: false,
      isNew: true,
      // They began at once.
      together: true,
    });
  },
);
