// `bun scripts/pages.ts DIRECTORY [NAME…]`: takes a picture of a page of every kind, in light and dark, wide and narrow, and as it
// is printed, for somebody who looks at them. `--width 390 --scheme dark` takes only those.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { Page } from "../test/browser/browser.ts";
import { largePage, pageKinds } from "../test/browser/page-kinds.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    width: { type: "string", multiple: true, default: ["1440", "900", "390"] },
    scheme: { type: "string", multiple: true, default: ["light", "dark"] },
    /** Without what is printed, which takes longest. */
    "no-paper": { type: "boolean", default: false },
  },
});
const [to, ...names] = positionals;
if (to === undefined) {
  console.error("Name the directory for the pictures: bun scripts/pages.ts DIRECTORY [NAME…]");
  process.exit(2);
}
const place = resolve(to);
mkdirSync(place, { recursive: true });

/** A picture is no higher: programs that show one make a higher one smaller. In pixels. */
const pieceHeight = 1_500;
/** Of 2,000 tasks, only the beginning is taken. */
const mostPieces = 4;
const image = z.object({ data: z.string() });

const all = { ...(await pageKinds()), large: largePage(2_000) };
await using page = await new Page().begin();
for (const [name, { html, hash = "", prepare }] of Object.entries(all)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const file = join(place, `${name}.html`);
  await Bun.write(file, html);
  for (const scheme of values.scheme) {
    for (const width of values.width) await take(`${name}-${scheme}-${width}`, Number(width), scheme);
  }
  if (!values["no-paper"]) await print(`${name}-paper.pdf`);

  async function take(picture: string, width: number, scheme: string): Promise<void> {
    await page.media({ scheme: scheme === "dark" ? "dark" : "light" });
    const screen = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await page.cdp("Emulation.setDeviceMetricsOverride", screen);
    await open();
    // A dialog stands in the middle of what is in sight.
    const whole = `document.querySelector("dialog[open]") ? 0 : document.documentElement.scrollHeight`;
    const height = Math.max(900, Number(await page.evaluate(whole)));
    const pieces = Math.min(mostPieces, Math.ceil(height / pieceHeight));
    // Once more, with all of it in sight: what is far from what a browser shows is not laid out.
    await page.cdp("Emulation.setDeviceMetricsOverride", {
      ...screen,
      height: Math.min(height, pieceHeight * pieces),
    });
    await settled();
    for (let piece = 0; piece < pieces; piece++) {
      const y = piece * pieceHeight;
      const clip = { x: 0, y, width, height: Math.min(pieceHeight, height - y), scale: 1 };
      const { data } = image.parse(await page.cdp("Page.captureScreenshot", { format: "png", clip }));
      await Bun.write(join(place, `${picture}-${piece + 1}.png`), Buffer.from(data, "base64"));
    }
  }

  async function print(picture: string): Promise<void> {
    await page.cdp("Emulation.clearDeviceMetricsOverride");
    await page.cdp("Emulation.setEmulatedMedia", { media: "", features: [] });
    await open();
    const printed = { printBackground: true, paperWidth: 8.27, paperHeight: 11.69 };
    const { data } = image.parse(await page.cdp("Page.printToPDF", printed));
    await Bun.write(join(place, picture), Buffer.from(data, "base64"));
  }

  async function open(): Promise<void> {
    await page.visit("about:blank");
    await page.visit(`${Bun.pathToFileURL(file).href}${hash === "" ? "" : `#${hash}`}`);
    if (prepare !== undefined) await page.evaluate(`(() => { ${prepare} })()`);
    await settled();
  }

  async function settled(): Promise<void> {
    await page.evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))",
    );
  }
}
console.log(`The pictures are in ${place}.`);
