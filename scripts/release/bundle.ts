// The bundle for Claude Desktop: manifest and executable. It cannot choose by processor, so there is one a target.
import { tools } from "../../src/operations/tools.ts";
import { type Content, contentOf } from "./content.ts";
import { documentEntries } from "./npm.ts";
import { owner, release } from "./release.ts";
import { suffixOf, type Target } from "./targets.ts";
import { zip } from "./zip.ts";

/** `manifest.json`, with the tools that the server itself declares. */
export function manifestOf(target: Target) {
  const file = `server/${release.name}${suffixOf(target)}`;
  return {
    manifest_version: "0.3",
    name: release.name,
    display_name: "Parallel Claude Code",
    version: release.version,
    description: release.description,
    author: { name: owner, url: release.repository },
    repository: { type: "git", url: `${release.repository}.git` },
    license: release.license,
    server: {
      type: "binary",
      entry_point: file,
      mcp_config: {
        command: `\${__dirname}/${file}`,
        args: [],
        env: {
          PARALLEL_CLAUDE_WORKING_DIRECTORY: `\${user_config.working_directory}`,
          PARALLEL_CLAUDE_CONCURRENCY: `\${user_config.concurrency}`,
        },
      },
    },
    tools: tools.map(({ name, description }) => ({
      name,
      description: description.split(/(?<=\.) /)[0] ?? description,
    })),
    compatibility: { platforms: [target.os] },
    user_config: {
      working_directory: {
        type: "directory",
        title: "Working directory",
        description: "Where sessions work when a task names no other directory.",
        default: `\${HOME}`,
        required: false,
      },
      concurrency: {
        type: "string",
        title: "Sessions at once",
        description: "A number, or auto: as many as machine and account carry.",
        default: "auto",
        required: false,
      },
    },
  };
}

/** The `.mcpb` file of a target. */
export async function packBundle(target: Target, executable: Content): Promise<Uint8Array> {
  const manifest = manifestOf(target);
  return zip([
    { path: "manifest.json", content: await contentOf(`${JSON.stringify(manifest, null, 2)}\n`) },
    { path: manifest.server.entry_point, content: executable, executable: true },
    ...(await documentEntries()),
  ]);
}
