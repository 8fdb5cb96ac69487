// What a runner does beside its sessions: it sees to its keeper, hears others, and says why nothing runs.
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Batch, EventBody } from "../../src/model/event.ts";
import { ownIdentity } from "../../src/platform/process.ts";
import type { ProcessIdentity } from "../../src/platform/process-identity.ts";
import type { BatchRow, Store } from "../../src/store/store.ts";
import { eventually, fakeClaude, Home, kill, ofProgram } from "../harness.ts";
import { batchOf, living } from "../store/samples.ts";

interface Given {
  batch?: Partial<Batch>;
  leash?: ProcessIdentity;
  isAttended?: boolean;
  /** The log beforehand. */
  events?: EventBody[];
  /** The row beforehand. */
  prepare?: (store: Store, batchId: BatchRow["batchId"]) => void;
}

/** A batch that a runner runs, and what others see of it. */
function running(home: Home, store: Store, prompts: string[], given: Given = {}) {
  const { batch = {}, leash, isAttended = true, events = [], prepare } = given;
  const founding = batchOf(prompts.length);
  const log = store.create(
    {
      ...founding,
      batch: {
        ...founding.batch,
        tasks: prompts.map((prompt) => ({ prompt })),
        concurrency: 8,
        slots: 8,
        outputDirectory: home.output,
        claudePath: fakeClaude,
        workingDirectory: home.work,
        ...batch,
      },
      ...(leash ? { leash } : {}),
    },
    Date.now(),
  );
  const { batchId } = log;
  log.append(() => events);
  prepare?.(store, batchId);
  const program = [process.execPath, join(import.meta.dir, "run-watched.ts"), home.state, batchId];
  const child = Bun.spawn([...program, ...(isAttended ? [] : ["unattended"])], {
    env: { ...home.environment, ...ofProgram },
    stdout: "pipe",
    stderr: "inherit",
  });
  const row = () => {
    const found = store.row(batchId);
    if (!found) throw new Error("the batch has no row");
    return found;
  };
  return {
    log,
    row,
    until: (holds: (row: BatchRow) => boolean) =>
      eventually(
        () => holds(row()),
        () => JSON.stringify(row()),
      ),
    cancel: () => store.batch(batchId)?.append(() => [{ type: "cancel-requested", by: "user" }]),
    /** Whether it was run to its end. */
    isDone: async () => {
      const out = await child.stdout.text();
      log.refresh();
      return out.trim();
    },
    outcomes: () =>
      log.state.tasks.map((task) => {
        if (task.status !== "done") return task.status;
        const { outcome } = task;
        if (outcome.kind === "failed") return outcome.reason;
        return outcome.kind === "cancelled" ? `cancelled: ${outcome.by}` : outcome.kind;
      }),
  };
}

const silent = "[[hang-before-init]]";

describe("a runner", () => {
  test("has a keeper, and gets another one when that dies", async () => {
    await using home = new Home();
    using store = home.store();
    const { until, row, cancel, isDone } = running(home, store, [silent]);
    await until(({ keeper }) => keeper !== undefined);
    const { keeper } = row();
    await kill(keeper);
    await until((now) => now.keeper !== undefined && now.keeper.pid !== keeper?.pid);
    cancel();
    expect(await isDone()).toBe("true");
    await home.empty();
  });

  test("starts as many sessions at first as every account allows, where nobody has said how many", async () => {
    await using home = new Home();
    using store = home.store();
    const { until, cancel, isDone } = running(home, store, Array(6).fill(silent), {
      batch: { concurrency: "auto", slots: "auto" },
    });
    await until(({ counts }) => counts.running === 4);
    cancel();
    expect(await isDone()).toBe("true");
  });

  test("ends its batch when the process that waits for it dies, and tells why", async () => {
    await using home = new Home();
    using store = home.store();
    const client = living();
    const { until, isDone, outcomes, log } = running(home, store, ["[[hang]]", silent], {
      batch: { concurrency: 1, slots: 1 },
      leash: client.identity,
    });
    await until(({ counts }) => counts.running === 1);
    await client.end();
    expect(await isDone()).toBe("true");
    expect(outcomes()).toEqual(["cancelled: leash", "cancelled: leash"]);
    expect(log.state.cancelledBy).toBe("leash");
  });

  test("stops as soon as its batch is not its own any more, and its keeper starts another one", async () => {
    await using home = new Home();
    using store = home.store();
    const { until, isDone, log, cancel } = running(home, store, [silent]);
    await until(({ counts, keeper }) => counts.running === 1 && keeper !== undefined);
    const { runner } = log.state;
    store.batch(log.batchId)?.disown(() => []);
    expect(await isDone()).toBe("false");
    await until(({ epoch }) => epoch === 3);
    log.refresh();
    expect(log.state.runner).not.toEqual(runner);
    // The session goes on meanwhile.
    expect(log.state.tasks[0]?.attempts).toHaveLength(1);
    cancel();
    await until(({ endedAt }) => endedAt !== undefined);
  });

  test("runs a task again that had succeeded, when somebody asks for it while others run", async () => {
    await using home = new Home();
    using store = home.store();
    const gate = home.file("gate");
    const { until, isDone, outcomes, log } = running(home, store, [
      '[[answer text="again"]]',
      `[[wait-for-file path=${gate}]]`,
    ]);
    await until(({ counts }) => counts.succeeded === 1);
    store.batch(log.batchId)?.append(() => [{ type: "retry-requested", tasks: [], succeeded: [1] }]);
    await eventually(
      () => {
        log.refresh();
        return log.state.tasks[0]?.attempts.length === 2;
      },
      () => "it does not run again",
    );
    await Bun.write(gate, "");
    expect(await isDone()).toBe("true");
    expect(outcomes()).toEqual(["succeeded", "succeeded"]);
  });

  test("takes no hold over from the row, and leaves none there", async () => {
    await using home = new Home();
    using store = home.store();
    const { isDone, row } = running(home, store, ["hello"], {
      prepare: (place, batchId) => place.setHeld(batchId, { because: "of long ago" }),
    });
    expect(await isDone()).toBe("true");
    expect(row().held).toBeUndefined();
    expect(existsSync(store.layout.privateFolder(row().batchId))).toBe(false);
  });
});

describe("of the login of an account", () => {
  const batch = { loginProofSeconds: 600 };

  test("the first session is a proof, for which the others wait, and that is told", async () => {
    await using home = new Home();
    using store = home.store();
    const { until, cancel, isDone, row } = running(home, store, [silent, silent], { batch });
    await until(({ held }) => held?.because.includes("proves that the login works") === true);
    expect(row().counts).toMatchObject({ running: 1, queued: 1 });
    cancel();
    expect(await isDone()).toBe("true");
  });

  test("a session that has succeeded was one, whoever ran the batch then", async () => {
    await using home = new Home();
    using store = home.store();
    const attempt = { task: 1, attempt: 1 };
    const gone = { ...ownIdentity(), startTicks: "0" };
    const transcript = home.file("gone.ndjson");
    const { until, cancel, isDone } = running(home, store, ["x", silent, silent], {
      batch,
      events: [
        { type: "attempt-started", ...attempt, identity: gone, sessionId: "s", transcript },
        { type: "attempt-ended", ...attempt, outcome: { kind: "succeeded", length: 1, offset: 0 } },
      ],
    });
    await until(({ counts }) => counts.running === 2);
    cancel();
    expect(await isDone()).toBe("true");
  });

  test("one that does not work is waited for as long as the batch says, and the reason is told", async () => {
    await using home = new Home();
    using store = home.store();
    const { until, cancel, isDone, row } = running(home, store, ["[[not-logged-in]]"], {
      batch: { loginPatienceSeconds: 600 },
    });
    await until(({ held }) => held?.because.includes("not logged in") === true);
    expect(row().held?.until).toBeGreaterThan(Date.now() - 60_000);
    cancel();
    expect(await isDone()).toBe("true");
  });

  test("one that does not work ends a batch that says nothing of it, or that nobody attends", async () => {
    await using home = new Home();
    using store = home.store();
    const other = running(home, store, ["[[not-logged-in]]", "x"], {
      batch: { concurrency: 1, slots: 1, loginPatienceSeconds: 600 },
      isAttended: false,
    });
    expect(await other.isDone()).toBe("true");
    expect(other.outcomes()).toEqual(["auth", "cancelled: hold"]);
  });
});
