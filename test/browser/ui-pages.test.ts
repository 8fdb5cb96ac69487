// What only served pages do, in a real browser: the server is in the process of the test, and so is the log of its batches.
import { expect } from "bun:test";
import { openUi } from "../../src/doors/ui/server.ts";
import { failed, Inside } from "../inside.ts";
import { browserTest, Page } from "./browser.ts";

browserTest(
  "a failed task is retried from its own page, its session is searched, and says that its batch was removed",
  async () => {
    using inside = new Inside();
    const context = inside.context("command-line");
    const token = "a-token-of-this-test-with-enough-characters";
    using server = openUi(context, { port: 0, token });
    const batch = inside.batch(context, { tasks: 3 });
    const call = (id: string, command: string) =>
      JSON.stringify({
        type: "assistant",
        message: {
          id,
          role: "assistant",
          content: [{ type: "tool_use", id, name: "Bash", input: { command } }],
        },
      });
    const lines = [call("a", "echo apple"), call("b", "echo plum"), call("c", "echo Apple pie")];
    inside.write(`${batch.id}-2.ndjson`, `${lines.join("\n")}\n`);
    batch.end(2, failed).start(3);
    inside.write(`${batch.id}-3.ndjson`, `${lines[0]}\n`);

    await using page = await new Page().begin();
    const at = `/batches/${batch.id}`;
    await page.visit(server.addressOf(`${at}/tasks/2`));
    await page.until(`document.querySelector("nav.steps")?.textContent.includes("Retry…")`);
    await page.click("nav.steps a:last-child");
    // What helps is in the fields, and nothing is done before somebody says so.
    await page.until(`document.querySelector("#dialog-retry[open] [name=tasks]")?.value === "2"`);
    expect(await page.evaluate(`document.querySelector("#dialog-retry [name=maxTurns]").value`)).toMatch(
      /^\d+$/,
    );
    expect(await page.evaluate("location.hash")).toBe("");
    expect(batch.log.refresh()).toEqual([]);

    const session = `http://127.0.0.1:${server.port}${at}/sessions`;
    await page.visit(`${session}/2`);
    await page.until(`!document.getElementById("tools").hidden`);
    const shown = `[...document.querySelectorAll("#talk > .call")].filter((one) => one.checkVisibility()).map((one) => one.querySelector("summary code").textContent).join()`;
    expect(await page.evaluate(shown)).toBe("echo apple,echo plum,echo Apple pie");
    await page.click("#search");
    await page.type("APPLE");
    await page.until(`${shown} === "echo apple,echo Apple pie"`);
    expect(await page.evaluate(`[...CSS.highlights.get("found")].map(String).join()`)).toMatch(
      /^apple,.*Apple/,
    );
    await page.type("x");
    await page.until(`!document.getElementById("nothing").hidden`);
    // The address of a step that the search hides shows it.
    await page.evaluate(`(location.hash = document.querySelectorAll("#talk > .call")[1].id)`);
    await page.until(`${shown} === "echo apple,echo plum,echo Apple pie"`);
    expect(await page.evaluate(`document.getElementById("search").value`)).toBe("");
    await page.click("#talk > .call summary");
    expect(await page.evaluate(`location.hash.slice(1) === document.querySelector("#talk > .call").id`)).toBe(
      true,
    );

    // One that runs is followed, until its batch is there no more. It ends and is removed before the page asks again.
    await page.visit(`${session}/3`);
    await page.until(`document.querySelector(".pill")?.textContent === "running"`);
    batch.append({ type: "cancel-requested", by: "user" });
    batch.append({ type: "attempt-ended", task: 3, attempt: 1, outcome: { kind: "cancelled", by: "user" } });
    batch.finish();
    expect(context.store.forget(batch.log.batchId)).toBe(true);
    await page.until(`!document.getElementById("removed").hidden`);
    expect(await page.text("#talk")).toContain("echo apple");

    // One that has ended is looked at again when somebody comes back to it.
    const other = inside.batch(context, { tasks: 1 });
    inside.write(`${other.id}-1.ndjson`, `${lines[0]}\n`);
    other.end(1, failed).finish();
    await page.visit(`http://127.0.0.1:${server.port}/batches/${other.id}/sessions/1`);
    await page.until(`!document.getElementById("tools").hidden`);
    const comesBack = `document.dispatchEvent(new Event("visibilitychange"))`;
    const asked = `performance.getEntriesByType("resource").some(({ name }) => name.includes("?whether"))`;
    await page.evaluate(comesBack);
    await page.until(asked);
    expect(await page.evaluate(`document.getElementById("removed").hidden`)).toBe(true);
    expect(context.store.forget(other.log.batchId)).toBe(true);
    await page.evaluate(comesBack);
    await page.until(`!document.getElementById("removed").hidden`);
    expect(page.complaints).toEqual([]);
  },
);
