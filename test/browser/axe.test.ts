// What axe-core finds on each kind of page: in light on a wide screen, in dark on a narrow one. One browser for all.
import { expect } from "bun:test";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Home } from "../harness.ts";
import { browserTest, Page } from "./browser.ts";
import { pageKinds } from "./page-kinds.ts";

/** Their elements are all on other pages, too. */
const alike = new Set([
  ...[
    "starting",
    "held",
    "interrupted",
    "nothing-found",
    "filtered",
    "acted",
    "dialog-cancel",
    "dialog-change",
  ],
  ...[
    "batches-nothing-found",
    "error-crashed",
    "session-unfolded",
    "spending-batches",
    "spending-none",
    "variants",
  ],
]);

/** Each finding with the element that it is about. */
const findings = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html.slice(0, 200), failureSummary])))`;

browserTest(
  "no page has anything that axe-core finds fault with, and each can be skipped to its contents",
  async () => {
    await using home = new Home();
    const axe = await Bun.file(fileURLToPath(import.meta.resolve("axe-core/axe.min.js"))).text();
    await using page = await new Page().begin();
    for (const [name, { html, prepare }] of Object.entries(await pageKinds())) {
      if (alike.has(name)) continue;
      const file = join(home.work, `${name}.html`);
      await Bun.write(file, html);
      await page.open(file);
      await page.evaluate(`(() => { ${axe}\n })()`);
      if (prepare !== undefined) await page.evaluate(`(() => { ${prepare} })()`);
      // Folded parts are read, too.
      await page.evaluate(`[...document.querySelectorAll("details")].forEach((one) => { one.open = true; })`);
      for (const how of [
        { scheme: "light", width: 1200 },
        { scheme: "dark", width: 390 },
      ] as const) {
        await page.media(how);
        await page.cdp("Emulation.setDeviceMetricsOverride", {
          width: how.width,
          height: 900,
          deviceScaleFactor: 1,
          mobile: false,
        });
        // What scrolls is named after the next frame.
        await page.evaluate(
          "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
        );
        expect({ name, ...how, found: await page.evaluate(findings) }).toEqual({ name, ...how, found: [] });
      }
      const target = String(await page.evaluate(`document.querySelector("a.skip").getAttribute("href")`));
      expect(await page.evaluate(`document.querySelectorAll(${JSON.stringify(target)}).length`)).toBe(1);
    }
  },
);
