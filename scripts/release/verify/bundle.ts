// The bundle, unpacked by its format's own tool, and started as Claude Desktop starts it: with a form nobody touched.
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";
import { outputOf } from "../../command.ts";
import { bundleOf, dist, hasBundle, root } from "../release.ts";
import type { Channel } from "./channel.ts";
import { here } from "./here.ts";

/** The bundle for Claude Desktop. */
export const bundle: Channel = {
  name: ".mcpb bundle",
  async install(folder) {
    if (!here || !hasBundle(here)) return { notChecked: "there is no bundle for this system" };
    const tool = [process.execPath, join(root, "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js")];
    const unpacked = join(folder, "unpacked");
    const file = join(dist, bundleOf(here));
    await outputOf([...tool, "unpack", file, unpacked], { cwd: folder });
    await outputOf([...tool, "validate", unpacked], { cwd: folder });
    const made = await getMcpConfigForManifest({
      manifest: await Bun.file(join(unpacked, "manifest.json")).json(),
      extensionPath: unpacked,
      systemDirs: { HOME: folder },
      userConfig: {},
      pathSeparator: process.platform === "win32" ? "\\" : "/",
    });
    if (!made) throw new Error("The bundle's manifest gives no command");
    return { commands: [[made.command, ...(made.args ?? [])]], environment: made.env ?? {} };
  },
};
