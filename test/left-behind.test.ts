// What a session leaves behind ends with it, whatever it does to be lost; what is somebody else's does not.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { batchIdSchema } from "../src/model/batch-id.ts";
import { identityOf, livenessOf } from "../src/platform/process.ts";
import { describeNeeding } from "./facilities.ts";
import { connectNew, eventually, Home, kill, program, run } from "./harness.ts";
import { idle } from "./idle.ts";

/** Each writes its pid to `$OUT/<name>` once it is what it wants to be, and stays. */
const kinds: Record<string, { script: string; inGroup?: boolean }> = {
  "a process in the group of the session, with an empty environment": {
    inGroup: true,
    script: `env -i OUT="$OUT" sh -c 'echo $$ > "$OUT/pid.part"; mv "$OUT/pid.part" "$OUT/pid"; exec env -i sleep 1000' &`,
  },
  "a process of a command, with an empty environment": {
    script: `env -i OUT="$OUT" sh -c 'echo $$ > "$OUT/pid.part"; mv "$OUT/pid.part" "$OUT/pid"; exec env -i sleep 1000' &`,
  },
  "a process in a session of its own, with an empty environment": {
    script: `setsid env -i OUT="$OUT" sh -c 'echo $$ > "$OUT/pid.part"; mv "$OUT/pid.part" "$OUT/pid"; exec env -i sleep 1000' &`,
  },
  "a daemon that forked twice, with an empty environment": {
    script: `(setsid env -i OUT="$OUT" sh -c '(echo $(exec sh -c "echo \\$PPID") > "$OUT/pid.part"; mv "$OUT/pid.part" "$OUT/pid"; exec env -i sleep 1000) &' &)`,
  },
  "a daemon that writes its title over its environment": {
    script: `setsid perl -e '$0 = "x" x 30000; open F, ">", "$ENV{OUT}/pid.part"; print F $$; close F; rename "$ENV{OUT}/pid.part", "$ENV{OUT}/pid"; sleep 1000' &`,
  },
  "a daemon that keeps its environment": {
    script: `(setsid sh -c 'echo $$ > "$OUT/pid.part"; mv "$OUT/pid.part" "$OUT/pid"; exec sleep 1000' &)`,
  },
};

describeNeeding(
  "Linux",
  "perl",
  "setsid",
)("what a session leaves behind", () => {
  for (const [kind, { script, inGroup = false }] of Object.entries(kinds)) {
    for (const how of ["that ends by itself", "that is cancelled", "that is cancelled and hears nothing"]) {
      test(`${kind} ends with a session ${how}`, async () => {
        await using home = new Home();
        await using client = await connectNew(home);
        await using bystander = Bun.spawn(idle, { env: {}, stderr: "ignore", detached: true });
        const pidFile = join(home.path, "pid");
        // The command waits until it is there, so that no session ends before.
        const file = home.file("command.sh");
        const wait = 'while [ ! -e "$OUT/pid" ]; do sleep 0.01; done';
        await Bun.write(file, `OUT=${home.path}; export OUT\n${script}\n${wait}\n`);
        const step = `[[shell command="sh ${file}"${inGroup ? " in-group" : ""}]]`;
        const cancelled = how !== "that ends by itself";
        const deaf = how.endsWith("nothing") ? "[[ignore-everything]]" : "";
        const task = `${deaf} ${step} ${cancelled ? "[[hang]]" : ""}`;
        await client.call("spawn_parallel_claude_sessions", { tasks: [task], asyncMode: true });
        await eventually(
          () => existsSync(pidFile),
          () => "it did not start",
        );
        const left = identityOf(Number(readFileSync(pidFile, "utf8")));
        if (cancelled) await client.call("cancel_batch", { batchId: "latest" });
        try {
          await client.call("wait_for_batch", { batchId: "latest" });
          expect(left && livenessOf(left)).not.toBe("alive");
          expect(bystander.exitCode).toBeNull();
        } finally {
          if (left && livenessOf(left) === "alive") await kill(left);
        }
      });
    }
  }

  test("what a shell had started before `run` took its place lives on", async () => {
    await using home = new Home();
    const pidFile = home.file("pid");
    const script = `sleep 1000 > /dev/null 2>&1 & echo $! > ${pidFile}; exec ${program().join(" ")} run one`;
    const child = Bun.spawn(["sh", "-c", script], {
      cwd: home.work,
      env: home.environment,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    expect(await child.exited).toBe(0);
    const server = identityOf(Number(readFileSync(pidFile, "utf8")));
    expect(server).toBeDefined();
    await kill(server);
  });

  test("a daemon that other sessions share outlives its session, and ends with the batch", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const [pidFile, gate, file] = [home.file("pid"), home.file("gate"), home.file("command.sh")];
    const daemon = `perl -e '$0 = "gpg-agent --daemon"; open F, ">", "${pidFile}.part"; print F $$; close F; rename "${pidFile}.part", "${pidFile}"; sleep 1000'`;
    await Bun.write(file, `(setsid ${daemon} &)\nwhile [ ! -e ${pidFile} ]; do sleep 0.01; done\n`);
    const tasks = [`[[shell command="sh ${file}"]]`, `[[wait-for-file path=${gate}]]`];
    const { data } = await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
    const batchId = batchIdSchema.parse(data?.["batchId"]);
    using store = home.store();
    await eventually(
      () => store.batch(batchId)?.state.tasks[0]?.status === "done",
      () => "the first task does not end",
    );
    const left = identityOf(Number(readFileSync(pidFile, "utf8")));
    try {
      expect(left && livenessOf(left)).toBe("alive");
      await Bun.write(gate, "");
      await client.call("wait_for_batch", { batchId });
      expect(store.batch(batchId)?.state.endedAt).toBeNumber();
      expect(left && livenessOf(left)).toBe("dead");
    } finally {
      if (left && livenessOf(left) === "alive") await kill(left);
    }
  });

  test("a batch that a session started in the background ends with the session, and stays ended", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const [started, file] = [home.file("started"), home.file("command.sh")];
    const variables = { ...home.environment, PARALLEL_CLAUDE_MAX_DEPTH: "2" };
    const exports = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
    const inner = `${program().join(" ")} run --detach '[[touch path=${started}]] [[hang]]'`;
    const wait = `while [ ! -e ${started} ]; do sleep 0.01; done`;
    await Bun.write(file, `${[...exports, inner, wait].join("\n")}\n`);
    const { data } = await client.call("spawn_parallel_claude_sessions", {
      tasks: [`[[shell command="sh ${file}"]]`],
    });
    expect(data).toMatchObject({ counts: { succeeded: 1 } });
    await home.empty({ but: client.pid });
    // A call resumes what lost its processes; this one only ends what ended with its session.
    await run(home, ["list"]);
    using store = home.store();
    await eventually(
      () => store.list().every(({ endedAt }) => endedAt !== undefined),
      () => "the inner batch does not end",
    );
    expect(store.list().map(({ cancelledBy }) => cancelledBy)).toEqual(["leash", undefined]);
    await home.empty({ but: client.pid });
  });

  test("a daemon without an environment ends with its session, though the runner was killed meanwhile", async () => {
    await using home = new Home();
    await using client = await connectNew(home);
    const [pidFile, gate, file] = [home.file("pid"), home.file("gate"), home.file("command.sh")];
    const { script = "" } = kinds["a daemon that forked twice, with an empty environment"] ?? {};
    const wait = `while [ ! -e ${pidFile} ]; do sleep 0.01; done`;
    await Bun.write(file, `OUT=${home.path}; export OUT\n${script}\n${wait}\n`);
    const tasks = [`[[shell command="sh ${file}"]] [[wait-for-file path=${gate}]]`];
    await client.call("spawn_parallel_claude_sessions", { tasks, asyncMode: true });
    await eventually(
      () => existsSync(pidFile),
      () => "it did not start",
    );
    const left = identityOf(Number(readFileSync(pidFile, "utf8")));
    using store = home.store();
    const first = store.list()[0]?.runner;
    await kill(first);
    await eventually(
      () => store.list()[0]?.runner?.pid !== first?.pid,
      () => "no runner comes in its place",
    );
    try {
      expect(left && livenessOf(left)).toBe("alive");
      await Bun.write(gate, "");
      await client.call("wait_for_batch", { batchId: "latest" });
      expect(left && livenessOf(left)).toBe("dead");
    } finally {
      if (left && livenessOf(left) === "alive") await kill(left);
    }
  });
});
