// Taking in orphans: in a process of its own, for it cannot be undone.
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { testNeeding } from "../facilities.ts";
import { filesBelow } from "../files-below.ts";

const platform = join(import.meta.dir, "../../src/platform");

async function tellOf(script: string): Promise<string> {
  const imports = `
    import { reapOrphans, isNoOrphan, orphansIn, becomeSubreaper } from "${platform}/orphans.ts";
    import { processTable } from "${platform}/process-table.ts";
    const orphans = () => orphansIn(processTable()).map(([pid]) => pid);
    const until = async (holds) => { while (!holds()) await Bun.sleep(5); };
    const daemon = async (command) => {
      const child = isNoOrphan(Bun.spawn(["sh", "-c", "(setsid env -i " + command + " & echo $!)"], { stdout: "pipe" }));
      const pid = Number(await child.stdout.text());
      await child.exited;
      return pid;
    };`;
  const child = Bun.spawn([process.execPath, "-e", `${imports}\n${script}`], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  return out.trim();
}

testNeeding("Linux", "setsid")(
  "a process that left its parents and its environment is our child",
  async () => {
    const told = await tellOf(`
    await becomeSubreaper();
    const pid = await daemon("sleep 1000 > /dev/null");
    await until(() => orphans().length > 0);
    console.log(orphans().includes(pid));
    for (const orphan of orphans()) process.kill(orphan, "SIGKILL");`);
    expect(told).toBe("true");
  },
);

const agents = {
  "in its own session": "sleep 1000 > /dev/null 2>&1 & echo $!",
  "as a daemon": "(setsid env -i sleep 1000 > /dev/null 2>&1 & echo $!)",
};

for (const [how, script] of Object.entries(agents)) {
  testNeeding("Linux", "setsid")(`what a shell of the user's started ${how} is left alone`, async () => {
    const told = await tellOf(`
    import { leavingAlone } from "${platform}/orphans.ts";
    await becomeSubreaper();
    const shell = leavingAlone(() => Bun.spawnSync(["setsid", "sh", "-c", "${script}"]));
    const pid = Number(shell.stdout.toString());
    console.log(orphans().length, processTable().get(pid)?.parent === process.pid);
    process.kill(pid, "SIGKILL");`);
    expect(told).toBe("0 true");
  });
}

for (const program of ["sleep 1000", "setsid sleep 1000"]) {
  testNeeding("Linux", "setsid")(
    `what a shell had started before it became us is left alone: ${program}`,
    async () => {
      const imports = `import { orphansIn, becomeSubreaper } from "${platform}/orphans.ts";
      import { processTable } from "${platform}/process-table.ts";`;
      const script = `${imports}
      await becomeSubreaper();
      console.log(orphansIn(processTable()).length);
      process.kill(Number(process.env.BEFORE), "SIGKILL");`;
      const child = Bun.spawn(
        ["sh", "-c", `${program} > /dev/null & BEFORE=$! exec "$0" -e "$1"`, process.execPath, script],
        {
          stdout: "pipe",
        },
      );
      expect((await child.stdout.text()).trim()).toBe("0");
    },
  );
}

testNeeding("Linux")("a child of our own is none", async () => {
  const told = await tellOf(`
    await becomeSubreaper();
    const child = isNoOrphan(Bun.spawn(["sleep", "1000"]));
    console.log(orphans().length);
    child.kill("SIGKILL");`);
  expect(told).toBe("0");
});

testNeeding("Linux", "setsid")(
  "orphans that have ended are let go of, and our own children keep their status",
  async () => {
    const told = await tellOf(`
    import { rowOf } from "${platform}/process.ts";
    await becomeSubreaper();
    const pid = await daemon("true > /dev/null");
    await until(() => rowOf(pid)?.state !== "S" && rowOf(pid)?.state !== "R");
    const child = isNoOrphan(Bun.spawn(["sh", "-c", "exit 7"]));
    for (let look = 0; look < 3; look++) { reapOrphans(); await Bun.sleep(5); }
    await until(() => { reapOrphans(); return rowOf(pid) === undefined; });
    console.log(await child.exited);`);
    expect(told).toBe("7");
  },
);

testNeeding("Linux")("children of init's are none of ours once our parent has ended", async () => {
  // Takes the place of init: the runner comes to it when its keeper ends, and its other child is somebody else's.
  const told = await tellOf(`
    await becomeSubreaper();
    const others = isNoOrphan(Bun.spawn(["sleep", "1000"], { detached: true }));
    const runner = \`
      import { childrenThatCame, orphansIn, becomeSubreaper } from "${platform}/orphans.ts";
      import { identityOf } from "${platform}/process.ts";
      import { processTable } from "${platform}/process-table.ts";
      const parent = identityOf(process.ppid);
      await becomeSubreaper({ parent });
      process.kill(parent.pid, "SIGKILL");
      while (process.ppid === parent.pid) await Bun.sleep(5);
      console.log(JSON.stringify([process.ppid === \${process.pid}, childrenThatCame(), orphansIn(processTable())]));\`;
    const keeper = \`
      Bun.spawn([process.execPath, "-e", process.env.RUNNER], { detached: true, stdout: "inherit", stderr: "inherit" });
      await Bun.sleep(60_000);\`;
    const child = isNoOrphan(Bun.spawn([process.execPath, "-e", keeper], {
      env: { ...process.env, RUNNER: runner },
      stdout: "pipe",
      stderr: "inherit",
    }));
    console.log((await child.stdout.text()).trim());
    others.kill("SIGKILL");`);
  expect(told).toBe("[true,[],[]]");
});

// These start children in other processes than a runner or a keeper, or on systems that know no orphans.
const elsewhere = [
  "engine/output/notify.ts",
  "operations/open-page.ts",
  "operations/probe.ts",
  "platform/sampled.ts",
];

testNeeding("a system other than Windows")(
  "whatever a runner or a keeper starts is known to be no orphan, which would be ended",
  () => {
    const source = join(platform, "..");
    const starting = filesBelow(source, ".ts")
      .map((path) => ({ path, text: readFileSync(join(source, path), "utf8") }))
      .filter(({ text }) => text.includes("Bun.spawn("));
    const unmarked = starting
      .filter(({ text }) => !/isNoOrphan\(\s*Bun\.spawn\(/.test(text))
      .map(({ path }) => path);
    expect(unmarked.sort()).toEqual(elsewhere);
  },
);
