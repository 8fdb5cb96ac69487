// The pages that `ui` serves, in a real browser, with real processes, and without a mouse.
import { expect } from "bun:test";
import { z } from "zod";
import { freePort } from "../free-port.ts";
import { eventually, Home, program, run } from "../harness.ts";
import { newestRow } from "../running.ts";
import { browserTest, Page } from "./browser.ts";

const printed = z.object({ address: z.string(), port: z.int() });

/** The program as a server, until disposed of. */
async function serve(home: Home, words: string[] = []) {
  const child = Bun.spawn([...program(), "ui", "latest", "--json", "--no-open", ...words], {
    cwd: home.work,
    env: home.environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of child.stdout) {
    text += decoder.decode(piece, { stream: true });
    if (text.includes("\n}\n")) break;
  }
  const end = async () => {
    child.kill();
    return child.exited;
  };
  return { ...printed.parse(JSON.parse(text)), end, [Symbol.asyncDispose]: async () => void (await end()) };
}

/** Presses a key until an element has the focus. */
async function reach(page: Page, selector: string): Promise<void> {
  for (let left = 80; left > 0; left--) {
    if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
    await page.press("Tab");
  }
  throw new Error(`The keyboard does not reach ${selector}.`);
}

browserTest(
  "a batch is cancelled in part, retried with another model and followed by keyboard alone, through a restart of the server",
  async () => {
    await using home = new Home();
    const tasks = ["[[max-turns]] one", "[[hang]] two", "[[hang]] three"];
    expect((await run(home, ["run", "--detach", "--retries", "0", ...tasks])).code).toBe(0);
    await eventually(
      () => newestRow(home)?.counts.running === 2 && newestRow(home)?.counts.failed === 1,
      () => `not as expected: ${JSON.stringify(newestRow(home))}`,
    );
    const first = await serve(home, ["--port", String(freePort())]);
    await using page = await new Page().begin();
    await page.visit(first.address);
    await page.until(`document.querySelector(".acts [data-act=cancel]:not([hidden])")`);
    // What let the browser in is neither in the address nor in the history.
    expect(await page.evaluate("location.search")).toBe("");
    await page.evaluate("(window.sameDocument = true)");

    await reach(page, ".acts [data-act=cancel]");
    await page.press("Enter");
    await page.until(`document.querySelector("#dialog-cancel[open]")`);
    expect(await page.evaluate("document.activeElement.name")).toBe("tasks");
    await page.type("2");
    await page.press("Enter");
    await page.until(`document.querySelector("#t2").textContent.includes("cancelled")`);
    await page.until(`!document.querySelector("dialog[open]")`);
    expect(await page.evaluate(`document.querySelector("#t3").className`)).toBe("run");

    // A dialog that is left does nothing.
    await reach(page, "[data-act=cancel][data-tasks='3']");
    await page.press("Enter");
    await page.until(`document.querySelector("#dialog-cancel[open] [name=tasks]")?.value === "3"`);
    await page.press("Escape");
    await page.until(`!document.querySelector("dialog[open]")`);
    await page.until(`document.activeElement.dataset.tasks === "3"`);

    // Open pages go on with the next server.
    expect(await first.end()).toBe(0);
    await page.until(`!document.getElementById("away").hidden`);
    // A server in trouble is asked again, and the page stays.
    let asked = 0;
    const inTrouble = () => {
      asked++;
      return new Response("", { status: 503 });
    };
    const troubled = Bun.serve({ hostname: "127.0.0.1", port: first.port, fetch: inTrouble });
    await eventually(
      () => asked > 2,
      () => `asked ${asked} times`,
    );
    await troubled.stop(true);
    await using second = await serve(home);
    expect(second.port).toBe(first.port);
    await page.until(`document.getElementById("away").hidden`);

    await page.evaluate(`document.body.focus()`);
    await reach(page, ".acts [data-act=retry]");
    await page.press("Enter");
    await page.until(`document.querySelector("#dialog-retry[open]")`);
    await page.type("99");
    await page.press("Enter");
    await page.until(`document.querySelector("#dialog-retry .fault").textContent.includes("99")`);
    for (const _ of [1, 2]) await page.press("Backspace");
    await page.type("1");
    await reach(page, "#dialog-retry [name=model]");
    await page.type("opus");
    await reach(page, "#dialog-retry [type=submit]");
    await page.press("Enter");
    await page.until(`document.getElementById("acted").textContent.includes("1 task is run again with")`);
    expect(await page.text("#acted")).toContain("--model opus");
    await page.until(`document.getElementById("part-about").textContent.includes("opus") ||
      document.getElementById("part-progress").textContent.includes("opus")`);
    expect(await page.evaluate("window.sameDocument")).toBe(true);
    // Of the server that was away, and of the task that does not exist.
    expect(page.complaints.filter((words) => !/net::ERR_|status of (422|503)/.test(words))).toEqual([]);
    expect((await run(home, ["cancel", "latest"])).code).toBe(0);
    await page.until(`document.querySelector("#part-header .pill").textContent !== "running"`);
    await page.until(`document.querySelector(".acts [data-act=cancel]").hidden`);

    // The texts that are searched come from the server.
    await reach(page, "#search");
    await page.type("zebra");
    await page.until(`!document.getElementById("nothing").hidden && document.getElementById("reach").hidden`);
    expect(page.requests.some((url) => url.includes("/texts.js"))).toBe(true);

    // The list follows, searches and filters.
    const list = `http://127.0.0.1:${second.port}/`;
    await page.visit(list);
    const shown = `[...document.querySelectorAll("#batches tbody tr")].filter((row) => !row.hidden).length`;
    await page.until(`${shown} === 1`);
    await page.evaluate("(window.sameDocument = true)");
    expect((await run(home, ["run", "four", "--batch-name", "Another"])).code).toBe(0);
    await page.until(`document.querySelector("#batches tbody tr .s").textContent === "succeeded"`);
    await reach(page, "#search");
    await page.type("another");
    await page.until(`${shown} === 1 && document.getElementById("shown").textContent === "1 of 2 batches"`);
    await reach(page, "[data-show=stopped], [data-show=failed]");
    await page.press("Enter");
    await page.until(`${shown} === 0 && !document.getElementById("nothing").hidden`);
    expect(await page.evaluate("window.sameDocument")).toBe(true);
  },
);
