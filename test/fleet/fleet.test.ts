// A batch on a fleet, from one end to the other: a submitter, workers and a Redis, all as processes.
import { expect, test } from "bun:test";
import { describeNeeding } from "../facilities.ts";
import { asked } from "../fake-notes.ts";
import { run } from "../harness.ts";
import { OwnFleet } from "./own-fleet.ts";

describeNeeding("redis")("a batch on a fleet", () => {
  test("runs on its workers, and its answers come back with their costs", async () => {
    await using fleet = await OwnFleet.create();
    const { home } = fleet;
    await fleet.worker("box-1");
    await fleet.worker("box-2");
    const tasks = Array.from(
      { length: 6 },
      (_, index) => `[[cost usd=0.25]] [[answer text=answer-${index}]]`,
    );
    await Bun.write(home.file("tasks.json"), JSON.stringify(tasks));
    const { code, out, err } = await run(home, [
      "run",
      "--fleet",
      "team",
      "-f",
      home.file("tasks.json"),
      "--json",
    ]);
    expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
    const answer = JSON.parse(out);
    expect(answer.results.map(({ result }: { result: string }) => result)).toEqual(
      tasks.map((_, index) => `answer-${index}`),
    );
    expect(answer.totalCostUsd).toBeCloseTo(1.5, 6);
    expect(asked(home).length).toBe(6);
  }, 60_000);
});
