// The README's way from a clone to a first batch, as it is typed: with nothing but `npx`, which is Bun here, a home with
// nothing in it, and the fake `claude`.
import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type CodeBlock, codeBlocks } from "../scripts/docs/blocks.ts";
import { product } from "../src/model/product.ts";
import { Home } from "./harness.ts";
import { pathWithCommands, putCommand } from "./own-commands.ts";

// It compiles the program.
setDefaultTimeout(180_000);

const root = join(import.meta.dir, "..");
const shell = codeBlocks(await Bun.file(join(root, "README.md")).text()).filter(
  ({ language }) => language === "sh",
);

test("who types what the README says has the program, a client that starts it, and the answers of a first batch", async () => {
  await using home = new Home();
  const clone = home.file("clone");
  for (const part of ["package.json", "bun.lock", "bunfig.toml", "tsconfig.json", "src", "scripts"])
    cpSync(join(root, part), join(clone, part), { recursive: true });
  putCommand(home, "npx", `shift 2; exec '${process.execPath}' "$@"`);
  // A page is not opened, but that would be.
  putCommand(home, "xdg-open", "true");

  const [install, doctor] = blocksUnder("Install").filter(({ text }) => !text.includes("curl"));
  const prepared = await typed(home, clone, `${install?.text}\n${doctor?.text}`);
  expect(prepared).toMatchObject({ code: 0, out: expect.stringContaining("All checks passed") });
  const program = join(home.path, ".local/bin", product.name);
  expect(existsSync(program)).toBe(true);

  const connect = blocksUnder("Connect a client")[0]?.text ?? "";
  const connected = await typed(home, clone, connect.replace("--client claude-desktop", "$& --yes"));
  expect(connected.code).toBe(0);
  expect(connected.out).toContain(`"command": "${program}"`);

  await Bun.write(join(home.work, "README.md"), "# Something\n");
  await Bun.write(join(home.work, "package.json"), "{}\n");
  const first = await typed(home, home.work, blocksUnder("The first batch")[0]?.text ?? "");
  expect(first).toMatchObject({ code: 0, err: expect.stringContaining("All 2 tasks succeeded.") });
  expect(first.out).toContain("Answer to: Explain README.md in two sentences");
  expect(first.out).toContain("Answer to: Name three risks in package.json");
});

function blocksUnder(heading: string): CodeBlock[] {
  return shell.filter((block) => block.heading === heading);
}

async function typed(
  home: Home,
  cwd: string,
  text: string,
): Promise<{ code: number; out: string; err: string }> {
  const env = home.environment;
  // What was downloaded once is not downloaded again; how a machine reaches the network is its own affair.
  const cache = process.env["BUN_INSTALL_CACHE_DIR"] ?? join(homedir(), ".bun/install/cache");
  const network = Object.entries(process.env).filter(([name]) =>
    /_proxy$|^npm_config_registry$|CERT/i.test(name),
  );
  const PATH = `${home.file(".local/bin")}:${pathWithCommands(home)}`;
  const child = Bun.spawn(["sh", "-ec", text], {
    cwd,
    env: { ...Object.fromEntries(network), ...env, PATH, BUN_INSTALL_CACHE_DIR: cache },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out, err };
}
