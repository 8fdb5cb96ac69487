// The page of a batch that runs, with real processes, in a real browser that has it open from the file system.
import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Home, run } from "../harness.ts";
import { browserTest, Page } from "./browser.ts";

/** Ways to end that concern one task alone. A login that fails is none: it holds all others. */
const ends = [
  "Say hello to",
  "[[answer text='# A heading\\n\\n- one\\n- two']] Write about",
  "[[denied tool=Bash input='npm test']] Run the tests of",
  "[[max-turns]] Go round in",
  "[[budget]] Spend all on",
  "[[refusal]] Refuse",
  "[[exit code=3]] Fall over",
  "[[signal name=SIGKILL]] Be killed by",
  "[[prompt-too-long]] Read all of",
  "[[error status=400 message=bad]] Ask badly for",
];

const value = (id: string) => `document.getElementById("${id}").value`;
const shownRows = `[...document.querySelectorAll("#task-table tbody tr")].filter((row) => !row.hidden)`;

describe("the page of a batch of 200", () => {
  browserTest(
    "follows in place, keeps what the reader has chosen, and is complete when the batch has ended",
    async () => {
      await using home = new Home({ PARALLEL_CLAUDE_CONCURRENCY: "8" });
      const gate = home.file("gate");
      const later = home.file("later");
      const tasks = Array.from({ length: 200 }, (_, index) => {
        const prompt = `${ends[index % ends.length]} part ${index + 1}`;
        if (index === 0)
          return {
            task: `[[tool name=Read input=src/main.ts]] [[wait-for-file path=${gate}]] straggler`,
          };
        if (index === 1) return { task: `[[hang]] ${prompt}`, timeoutSeconds: 2 };
        return { task: index < 20 ? prompt : `[[wait-for-file path=${later}]] ${prompt}` };
      });
      await Bun.write(home.file("tasks.json"), JSON.stringify(tasks));
      const flags = ["--retries", "0", "--concurrency", "8", "--batch-name", "All ends"];
      const { out, err } = await run(home, [
        "run",
        "--detach",
        "--json",
        "-f",
        home.file("tasks.json"),
        ...flags,
      ]);
      expect(err).not.toContain("rror");
      const { batchId }: { batchId: string } = JSON.parse(out);
      expect((await run(home, ["cancel", batchId, "200"])).code).toBe(0);
      const index = join(home.output, "index.html");
      await eventually(
        () => existsSync(index),
        () => "no page yet",
      );

      await using page = await new Page().begin();
      await page.open(index);
      await page.evaluate("(window.sameDocument = true)");
      await page.until(`document.getElementById("part-running").textContent.includes("straggler")`);
      await page.until(`document.getElementById("part-running").textContent.includes("Read")`);

      await page.click('#task-table th[data-sort="cost"] button');
      await page.click('[data-show="succeeded"]');
      await page.evaluate(`document.getElementById("search").focus()`);
      await page.type("hello");
      const before = Number(await page.evaluate(`${shownRows}.length`));
      await page.evaluate("scrollTo(0, 150)");
      await Bun.write(later, "");
      await page.until(`${shownRows}.length > ${before}`, 120_000);
      expect(await page.evaluate(value("search"))).toBe("hello");
      expect(await page.evaluate("document.activeElement.id")).toBe("search");
      expect(await page.evaluate(`document.querySelector('[data-show="succeeded"]').ariaPressed`)).toBe(
        "true",
      );
      expect(await page.evaluate(`document.querySelector('th[data-sort="cost"]').ariaSort`)).toBe(
        "descending",
      );
      expect(await page.evaluate("scrollY")).toBeGreaterThan(0);

      await page.until(`document.title.startsWith("198/200")`, 150_000);
      await Bun.write(gate, "");
      await page.until(
        `document.querySelector("h1 + .under .pill").textContent.endsWith(" failed, 1 cancelled")`,
      );
      expect(await page.evaluate("window.sameDocument")).toBe(true);
      expect(await page.evaluate("document.getElementById('said').textContent")).toContain(
        "Tasks were cancelled by the user: 199 of 200 tasks done",
      );

      // Ended: hardly anything is loaded any more, and what was followed is what the file says.
      const loads = page.requests.length;
      const followed = await page.evaluate(`document.getElementById("part-progress").innerHTML`);
      await page.open(index);
      expect(page.requests.length).toBeLessThanOrEqual(loads + 1);
      expect(await page.evaluate(`document.getElementById("part-progress").innerHTML`)).toBe(followed);
      const { counts }: { counts: Record<string, number> } = JSON.parse(
        readFileSync(join(home.output, `summary-${batchId}.json`), "utf8"),
      );
      expect(counts).toMatchObject({ queued: 0, running: 0 });
      const legend = await page.text(".legend");
      expect(legend).toContain(`${counts["succeeded"]} succeeded`);
      expect(legend).toContain(`${counts["failed"]} failed`);
      const statuses = await page.evaluate(
        `[...new Set([...document.querySelectorAll("#task-table td.s")].map((cell) => cell.textContent))].sort()`,
      );
      expect(statuses).toEqual([
        "cancelled",
        "crashed",
        "failed: budget spent",
        "failed: declined",
        "failed: prompt too long",
        "failed: request rejected",
        "failed: turn limit",
        "succeeded",
        "timed out: total time",
        "tools denied",
      ]);

      await page.click('[data-show="failed"]');
      expect(await page.evaluate(`${shownRows}.length`)).toBe(counts["failed"]);
      await page.click('#task-table th[data-sort="duration"] button');
      const lengths = await page.evaluate(`${shownRows}.map((row) => Number(row.dataset.d))`);
      expect(lengths).toEqual([...(lengths as number[])].sort((a, b) => b - a));

      // Task 200 never had one. The straggler is the longest of the timeline, and the keyboard gets to the page of its session.
      expect(await page.text("#timeline-box .sum")).toMatch(/199 sessions, [2-8] in parallel at most/);
      expect(await page.text("#timeline-box .sum")).toContain("the longest is task 1 with");
      expect(await page.evaluate(`document.querySelectorAll(".bars path").length`)).toBeGreaterThan(2);
      await page.evaluate(`document.getElementById("lanes").focus()`);
      await page.press("Home");
      expect(await page.text("#readout")).toMatch(/^Task \d/);
      await page.press("Enter");
      await page.until(`/\\/(?:session|result|error)-\\d+[^/]*$/.test(location.pathname)`);
      await home.empty();
    },
    240_000,
  );

  browserTest("follows a retry of a batch that had ended when it was opened", async () => {
    await using home = new Home();
    const [until, started, gate] = [home.file("until"), home.file("started"), home.file("gate")];
    const task = `[[refused status=400 kind=invalid_request text=no until=${until}]] [[touch path=${started}]] [[wait-for-file path=${gate}]] again`;
    const { out } = await run(home, ["run", "--json", "--retries", "0", "quick", task]);
    const { batchId }: { batchId: string } = JSON.parse(out);
    await using page = await new Page().begin();
    await page.open(join(home.output, "index.html"));
    await page.evaluate("(window.sameDocument = true)");
    const state = `document.querySelector("h1 + .under .pill").textContent`;
    expect(await page.evaluate(state)).toBe("1 failed");
    await Bun.write(until, "");
    expect((await run(home, ["retry", batchId])).code).toBe(0);
    await page.until(`${state} === "running"`);
    await page.until(`document.getElementById("said").textContent.includes("The batch is running")`);
    await Bun.write(gate, "");
    await page.until(`${state} === "succeeded" && document.querySelector("#t2").className === "ok"`);
    expect(await page.evaluate("window.sameDocument")).toBe(true);
    await home.empty();
  });

  browserTest("finds what running tasks are asked, and answers as they come", async () => {
    await using home = new Home();
    const gate = home.file("gate");
    const tasks = [
      "short",
      `${"A common beginning. ".repeat(20)}[[wait-for-file path=${gate}]] Look for [[max-turns]] kingfishers`,
    ];
    await Bun.write(home.file("tasks.json"), JSON.stringify(tasks));
    await run(home, ["run", "--detach", "-f", home.file("tasks.json")]);
    await eventually(
      () => existsSync(join(home.output, "index.html")),
      () => "no page yet",
    );
    await using page = await new Page().begin();
    await page.open(join(home.output, "index.html"));
    await page.click("#search");
    await page.type("kingfishers");
    await page.until(`${shownRows}.map((row) => row.id).join() === "t2"`);
    expect(await page.text(".hit")).toStartWith("Prompt: …");
    await page.evaluate(`(location.hash = "#q=reached+its")`);
    await page.until(`${shownRows}.length === 0`);
    await Bun.write(gate, "");
    await page.until(
      `document.querySelector("#t2 .hit")?.textContent.startsWith("Answer: Reached its turn limit")`,
    );
    await home.empty();
  });

  browserTest("leads to result pages and back, and from neighbour to neighbour", async () => {
    await using home = new Home();
    await run(home, ["run", "first [[answer text='**one**']]", "second", "third [[max-turns]]"]);
    await using page = await new Page().begin();
    await page.open(join(home.output, "index.html"));
    await page.click("#t1 a");
    await page.until(`document.querySelector(".answer strong")?.textContent === "one"`);
    await page.until(`document.querySelector("a[data-step]").href.includes("result-002")`);
    await page.click("a[data-step]");
    await page.until(`document.querySelector("h1").textContent === "second"`);
    expect(await page.evaluate(`document.querySelectorAll("nav.steps").length`)).toBe(2);
    await page.until(`document.querySelector("a[rel=next]").href.includes("error-003")`);
    await page.click("nav.steps a:not([data-step])");
    await page.until(`document.querySelector("#t2:target") !== null`);
  });

  browserTest("shares its directory with other batches, each with links to the others", async () => {
    await using home = new Home();
    await run(home, ["run", "--batch-name", "Older one", "a"]);
    await run(home, ["run", "--batch-name", "Newer one", "b"]);
    await using page = await new Page().begin();
    await page.open(join(home.output, "index.html"));
    expect(await page.text("h1")).toBe("Newer one");
    await page.click("#part-others a");
    await page.until(`document.querySelector("h1").textContent === "Older one"`);
  });
});

describe("the page of a batch with a summary", () => {
  browserTest(
    "gets the row of its session and its text in place, above everything but how far the batch is",
    async () => {
      await using home = new Home();
      const gate = home.file("gate");
      const tasks = [`[[wait-for-file path=${gate}]] [[answer text="a **bug**"]]`, "[[answer text=fine]]"];
      await run(home, ["run", "--detach", ...tasks, "--summarize", "[[recite]]"]);
      const index = join(home.output, "index.html");
      await eventually(
        () => existsSync(index),
        () => "no page yet",
      );
      await using page = await new Page().begin();
      await page.open(index);
      await page.evaluate("(window.sameDocument = true)");
      expect(await page.evaluate("document.getElementById('t3') === null")).toBe(true);
      await Bun.write(gate, "");
      await page.until(`document.getElementById("t3")?.textContent.includes("Summary")`);
      await page.until(`document.querySelector("#part-summary strong")?.textContent === "bug"`);
      await page.until(`document.querySelector("#t3 a") !== null`);
      expect(await page.evaluate("window.sameDocument")).toBe(true);
      const isAbove =
        "document.getElementById('part-summary').compareDocumentPosition(document.getElementById('part-timeline')) & 4";
      expect(await page.evaluate(isAbove)).toBe(4);
    },
  );
});
