// That the pictures of the documents can be taken anew.
import { expect } from "bun:test";
import { join } from "node:path";
import { browserTest } from "./browser/browser.ts";
import { Home } from "./harness.ts";

const script = join(import.meta.dir, "..", "scripts", "picture.ts");

browserTest("`bun run picture` takes a page in light and in dark, and the terminal view", async () => {
  await using home = new Home();
  const command = [process.execPath, script, "--pace", "0.02", "--to", home.work];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  for (const scheme of ["light", "dark"]) {
    const bytes = Buffer.from(await Bun.file(join(home.work, `live-page-${scheme}.png`)).bytes());
    expect(bytes.toString("latin1", 1, 4)).toBe("PNG");
    // 1,080 pixels of the page, 1.25 of the picture for each.
    expect(bytes.readUInt32BE(16)).toBe(1350);
  }
  expect(out).toMatch(/^ +6 running · 4 queued · 13 succeeded · 1 failed/m);
});
