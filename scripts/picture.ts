// `bun run picture`: takes the pictures of the documents anew, of the page and of the terminal view. A batch runs with the fake
// `claude`, and headless Chromium has its page open. Fonts are those of the machine. `--pace 0.1 --to DIRECTORY` takes them
// in seconds instead of minutes, and puts them elsewhere: to see how a change of the pages looks.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Page } from "../test/browser/browser.ts";
import { TerminalCommand } from "../test/pty-harness.ts";
import { withSection } from "./docs/sections.ts";
import { Stage } from "./picture/stage.ts";
import { atOnce, endedInPictures, story } from "./picture/story.ts";
import { root } from "./release/release.ts";

const { pace = "1", to } = parseArgs({
  options: { pace: { type: "string" }, to: { type: "string" } },
}).values;
const place = to ?? join(root, ".github", "pictures");
const width = 1080;
// The README shows it 860 pixels wide: for dense displays, this makes more than three for each two of them, in less than 300 kB.
const deviceScaleFactor = 1.25;

await using stage = new Stage(Number(pace));
const flags = ["--batch-name", "Review the shop's back end", "--concurrency", String(atOnce)];
const batchId = await stage.begin(flags);
await stage.standing(atOnce);
await takePage();
await takeTerminal();

async function takePage(): Promise<void> {
  await using page = await new Page({ width, height: 900 }).begin();
  await page.cdp("Emulation.setScrollbarsHidden", { hidden: true });
  await page.open(join(stage.home.output, "index.html"));
  await page.until(`document.title.startsWith("${endedInPictures}/${story.length} ")`);
  for (const scheme of ["light", "dark"] as const) {
    await page.media({ scheme });
    // Down to the end of what runs; the table of all tasks is below.
    const bottom = `document.getElementById("part-running").getBoundingClientRect().bottom + scrollY`;
    const height = Math.ceil(z.number().parse(await page.evaluate(bottom))) + 12;
    const screen = { width, height, deviceScaleFactor, mobile: false };
    await page.cdp("Emulation.setDeviceMetricsOverride", screen);
    const taken = await page.cdp("Page.captureScreenshot", { format: "png" });
    const { data } = z.object({ data: z.string() }).parse(taken);
    const name = `live-page-${scheme}.png`;
    const bytes = await Bun.write(join(place, name), Buffer.from(data, "base64"));
    console.log(
      `${join(place, name)}: ${width * deviceScaleFactor} pixels wide, ${(bytes / 1000).toFixed(0)} kB`,
    );
  }
}

// Text stays text: sharp everywhere, and for everybody. From the last task on that needs attention; the first line
// would name a place of this machine.
async function takeTerminal(): Promise<void> {
  await using command = new TerminalCommand(stage.home, ["watch", batchId], { columns: 100, rows: 24 });
  await command.shows(`${atOnce} running`);
  const lines = command.screen.text.split("\n");
  const shown = lines.slice(lines.findIndex((line) => line.includes("tools denied")) - 1);
  if (to !== undefined) return console.log(shown.join("\n"));
  const file = join(root, "docs", "command-line.md");
  await Bun.write(file, withSection(await Bun.file(file).text(), "terminal", ["```text", ...shown, "```"]));
  console.log("docs/command-line.md has the terminal view.");
}
