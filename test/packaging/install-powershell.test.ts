// What can be held of install.ps1 without a PowerShell: there is none for the machines that this is written on.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { archiveOf, release, root } from "../../scripts/release/release.ts";
import { targets } from "../../scripts/release/targets.ts";

const script = await Bun.file(join(root, "scripts/release/install.ps1")).text();

test("it is ASCII, for Windows PowerShell reads a file without a mark as one of the system's code page", () => {
  expect(script).toMatch(/^[\n\x20-\x7e]*$/);
});

test("it never exits, for that would close the window of whoever pipes it into iex", () => {
  expect(script.replaceAll(/#.*$/gm, "")).not.toMatch(/\bexit\b/i);
});

test("it takes the archives that there are, for the processors that they are for", () => {
  const processors = [...script.matchAll(/return "(\w+)"/g)].map(([, processor]) => processor);
  expect(script).toContain(`$name = "${release.name}"`);
  expect(script).toContain('"$name-windows-$(Get-ParallelClaudeProcessor).zip"');
  expect(processors.map((processor) => `${release.name}-windows-${processor}.zip`)).toEqual(
    targets.filter(({ os }) => os === "win32").map(archiveOf),
  );
});

test("its parameters are those of install.sh", async () => {
  const shell = await Bun.file(join(root, "scripts/release/install.sh")).text();
  const [, block = ""] = /^param\((.*)\)$/m.exec(script) ?? [];
  const parameters = [...block.matchAll(/\$(\w+)/g)].map(([, name = ""]) => `--${name.toLowerCase()}`);
  const options = [...shell.matchAll(/^ +(--\w+)\) \w+=/gm)].map(([, option = ""]) => option);
  expect(parameters).toEqual(options);
});
