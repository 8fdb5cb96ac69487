// The bundle for Claude Desktop, as its official tool reads it, and as Claude Desktop starts what is in it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getMcpConfigForManifest, type McpbManifestAny } from "@anthropic-ai/mcpb";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { formFields, manifestOf, packBundle } from "../../scripts/release/bundle.ts";
import { contentOf } from "../../scripts/release/content.ts";
import { noticesFile } from "../../scripts/release/notices.ts";
import { type Target, targets } from "../../scripts/release/targets.ts";
import { configurationSchema } from "../../src/model/configuration.ts";
import { describeNeeding, testNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

const root = join(import.meta.dir, "..", "..");
const mcpb = join(root, "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js");
const directory = mkdtempSync(join(tmpdir(), "pccm-bundle-"));
const [first] = targets;
if (!first) throw new Error("There is no target");

// What stands for the executable: it starts the program from source.
const starter = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "src/main.ts")}" "$@"\n`;
const unpacked = join(directory, first.name);

beforeAll(async () => {
  await unpack(first);
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

for (const target of targets) {
  testNeeding("modes of files")(
    `${target.name}: the official tool unpacks the bundle, and finds the manifest and its icon valid`,
    async () => {
      const place = await unpack(target);
      const { code, out } = await official("validate", place);
      expect({ out, code }).toEqual({ out: expect.stringContaining("schema validation passes"), code: 0 });
      expect(out).not.toContain("ERROR");
      const { server, compatibility } = manifestOf(target);
      expect(compatibility.platforms).toEqual([target.os]);
      // A tool that loses the run bit leaves a bundle that cannot be started.
      expect(statSync(join(place, server.entry_point)).mode & 0o777).toBe(0o755);
    },
  );
}

test("the same bundle has the same bytes", async () => {
  const [one, other] = await Promise.all([packed(first), packed(first)]);
  expect(one).toEqual(other);
});

test("packing what was unpacked with the official tool gives the same content", async () => {
  const again = join(directory, "again.mcpb");
  expect((await official("pack", unpacked, again)).code).toBe(0);
  const place = join(directory, "again");
  expect((await official("unpack", again, place)).code).toBe(0);
  expect(contentsOf(place)).toEqual(contentsOf(unpacked));
  expect(Object.keys(contentsOf(place))).toContain(noticesFile);
});

test("the icon is a small PNG", () => {
  const bytes = readFileSync(join(unpacked, "icon.png"));
  expect(bytes.length).toBeLessThan(20_000);
  expect(bytes.subarray(1, 4).toString()).toBe("PNG");
  expect([bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([512, 512]);
});

describeNeeding("programs that are scripts")("the server that it starts", () => {
  test("has the tools that the manifest and the README tell of", async () => {
    await using home = new Home();
    await using server = await start(home);
    const listed = (await server.client.listTools()).tools;
    expect(manifestOf(first).tools.map(({ name }) => name)).toEqual(listed.map(({ name }) => name));
    for (const { name, description = "" } of manifestOf(first).tools) {
      expect(listed.find((tool) => tool.name === name)?.description).toContain(description);
    }
    const readme = await Bun.file(join(root, "README.md")).text();
    const table = readme.split("<!-- tools -->")[1]?.split("<!-- /tools -->")[0] ?? "";
    const named = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(named).toEqual(listed.map(({ name }) => name));
    expect((await server.client.listPrompts()).prompts.length > 0).toBe(manifestOf(first).prompts_generated);
  });

  test("works in the home directory when nobody has touched the form, though it is started in /", async () => {
    await using home = new Home();
    await using server = await start(home);
    const { structuredContent } = await server.client.callTool({
      name: "spawn_claude_session",
      arguments: { task: "[[cwd]]" },
    });
    expect(structuredContent).toMatchObject({ status: "success", result: home.path });
    expect(await settingsOf(home, {})).toEqual({
      workingDirectory: home.path,
      outputDirectory: join(home.path, "Desktop/claude-code-results"),
      concurrency: "auto",
    });
  });

  test("takes what the form was filled in with", async () => {
    await using home = new Home();
    const form = {
      working_directory: home.work,
      output_directory: home.file("results"),
      concurrency: "3",
      batch_budget: 2.5,
      claude_path: "/opt/claude",
    };
    expect(await settingsOf(home, form)).toEqual({
      workingDirectory: home.work,
      outputDirectory: home.file("results"),
      concurrency: 3,
      batchBudgetUsd: 2.5,
      claudePath: "/opt/claude",
    });
  });

  // What a form gives for a field that was cleared is nowhere written: the library makes text of all of it.
  for (const nothing of ["", null, "undefined"]) {
    test(`does without what the form gives as ${JSON.stringify(nothing)}`, async () => {
      await using home = new Home();
      const form = Object.fromEntries(Object.keys(formFields).map((key) => [key, nothing]));
      expect(await settingsOf(home, form)).toEqual({
        outputDirectory: join(home.path, "Desktop/claude-code-results"),
        concurrency: "auto",
      });
    });
  }
});

test("what the form lets through as the least number, the setting takes, and nothing less than that at all", () => {
  const { setting, min } = formFields.batch_budget;
  const field = configurationSchema.shape[setting];
  expect(field.safeParse(min).success).toBe(true);
  expect(field.safeParse(0).success).toBe(false);
});

async function packed(target: Target): Promise<Uint8Array> {
  return packBundle(target, await contentOf(starter));
}

async function unpack(target: Target): Promise<string> {
  const file = join(directory, `${target.name}.mcpb`);
  const place = join(directory, target.name);
  await Bun.write(file, await packed(target));
  const { code, out } = await official("unpack", file, place);
  expect({ out, code }).toEqual({ out: expect.any(String), code: 0 });
  return place;
}

async function official(...args: string[]): Promise<{ code: number; out: string }> {
  const child = Bun.spawn([process.execPath, mcpb, ...args], { stdout: "pipe", stderr: "pipe" });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { code, out: out + err };
}

/** Each file with its mode and content. */
function contentsOf(place: string): Record<string, string> {
  const files = readdirSync(place, { recursive: true, encoding: "utf8" }).sort();
  return Object.fromEntries(
    files.flatMap((name) => {
      const path = join(place, name);
      const { mode } = statSync(path);
      return statSync(path).isFile() ? [[name, `${mode.toString(8)} ${readFileSync(path, "latin1")}`]] : [];
    }),
  );
}

/** Command and environment, as the official library makes them of the manifest and what was filled in. */
async function configured(home: Home, form: Record<string, unknown>) {
  const manifest: McpbManifestAny = JSON.parse(readFileSync(join(unpacked, "manifest.json"), "utf8"));
  const made = await getMcpConfigForManifest({
    manifest,
    extensionPath: unpacked,
    systemDirs: { HOME: home.path },
    // A form whose fields were cleared may give less than the library's type says.
    userConfig: JSON.parse(JSON.stringify(form)),
    pathSeparator: "/",
  });
  if (!made) throw new Error("There is no configuration");
  const { PARALLEL_CLAUDE_CONCURRENCY: _, PARALLEL_CLAUDE_OUTPUT_DIRECTORY: __, ...own } = home.environment;
  return { command: made.command, args: made.args ?? [], env: { ...own, ...made.env } };
}

async function start(home: Home): Promise<{ client: Client } & AsyncDisposable> {
  const client = new Client({ name: "claude-ai", version: "1" });
  await client.connect(
    new StdioClientTransport({ ...(await configured(home, {})), cwd: "/", stderr: "ignore" }),
  );
  return { client, [Symbol.asyncDispose]: () => client.close() };
}

/** The settings that the server then has from its environment, but for those of the test's home. */
async function settingsOf(home: Home, form: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { command, env } = await configured(home, form);
  const child = Bun.spawn([command, "config", "--json"], { cwd: "/", env, stdout: "pipe", stderr: "pipe" });
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  const { settings }: { settings: { name: string; value: unknown }[] } = JSON.parse(out);
  const asked: string[] = Object.values(formFields).map(({ setting }) => setting);
  return Object.fromEntries(
    settings.flatMap(({ name, value }) =>
      asked.includes(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}
