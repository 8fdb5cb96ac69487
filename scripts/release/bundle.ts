// The bundle for Claude Desktop: manifest and executable. It cannot choose by processor, so there is one a target.
import { configurationSchema, variableOf } from "../../src/model/configuration.ts";
import { tools } from "../../src/operations/tools.ts";
import { firstSentence } from "../first-sentence.ts";
import { type Content, contentOf } from "./content.ts";
import { icon } from "./icon.ts";
import { documentEntries, keywords } from "./npm.ts";
import { owner, release } from "./release.ts";
import { suffixOf, type Target } from "./targets.ts";
import { zip } from "./zip.ts";

const presets = configurationSchema.parse({});

/**
 * The settings that its form asks for. `~` is ours to expand, for Claude Desktop puts no `${HOME}` into a default.
 * A field without a default that is left empty reaches us as its placeholder, which counts as not set.
 */
export const formFields = {
  working_directory: {
    setting: "workingDirectory",
    type: "directory",
    title: "Working directory",
    description: "Directory that sessions work in, unless a task gives another one.",
    default: "~",
  },
  output_directory: {
    setting: "outputDirectory",
    type: "directory",
    title: "Results",
    description: "Directory for result pages. A missing directory is created.",
    default: presets.outputDirectory,
  },
  concurrency: {
    setting: "concurrency",
    type: "string",
    title: "Sessions in parallel",
    description: "A number, or auto for as many as your computer and account allow.",
    default: presets.concurrency,
  },
  batch_budget: {
    setting: "batchBudgetUsd",
    type: "number",
    title: "Budget of a batch, in US dollars",
    description:
      "Stops starting sessions once spent plus expected cost of a batch reaches this, unless the call sets its own budget. Leave empty for no limit.",
    min: 0.01,
  },
  claude_path: {
    setting: "claudePath",
    type: "file",
    title: "The claude command",
    description: "Path of claude, if it is not found automatically.",
  },
} as const;

/** `manifest.json`, with the tools that the server itself declares. */
export function manifestOf(target: Target) {
  const file = `server/${release.name}${suffixOf(target)}`;
  return {
    manifest_version: "0.3",
    name: release.name,
    display_name: "Parallel Claude Code",
    version: release.version,
    description: release.description,
    long_description: longDescription,
    author: { name: owner, url: `https://github.com/${owner}` },
    repository: { type: "git", url: `${release.repository}.git` },
    homepage: release.repository,
    documentation: `${release.repository}#readme`,
    support: `${release.repository}/issues`,
    icon: "icon.png",
    license: release.license,
    // A bundle starts one program by one path: its second name can only be found.
    keywords: [...keywords, release.secondName],
    server: {
      type: "binary",
      entry_point: file,
      mcp_config: { command: `\${__dirname}/${file}`, args: [], env: environment },
    },
    tools: tools.map(({ name, description }) => ({ name, description: firstSentence(description) })),
    // A prompt of ours is worded by its arguments, which a text in a manifest cannot do.
    prompts_generated: true,
    compatibility: { claude_desktop: ">=1.0.0", platforms: [target.os] },
    user_config: Object.fromEntries(
      Object.entries(formFields).map(([key, { setting: _, ...field }]) => [
        key,
        { ...field, required: false },
      ]),
    ),
  };
}

const environment = Object.fromEntries(
  Object.entries(formFields).map(([key, { setting }]) => [variableOf(setting), `\${user_config.${key}}`]),
);

const longDescription = `Ask Claude to *review these 200 files*, and 200 headless [Claude Code](https://code.claude.com/docs) sessions run, as many in parallel as your computer and your account allow.

- **Nothing is lost.** A batch continues when Claude Desktop quits, and resumes after a crash.
- **Nothing hangs.** A call answers before its client gives up; a batch that needs longer continues in the background.
- **You can see it.** A page in the results directory shows the batch while it runs. Each result is a readable page.

Claude Code must be installed on this computer and logged in. Sessions use that login and are billed to it. They may do only what a call allows.`;

/** The `.mcpb` file of a target. */
export async function packBundle(target: Target, executable: Content): Promise<Uint8Array> {
  const manifest = manifestOf(target);
  drawn ??= contentOf(icon());
  return zip([
    { path: "manifest.json", content: await contentOf(`${JSON.stringify(manifest, null, 2)}\n`) },
    { path: manifest.icon, content: await drawn },
    { path: manifest.server.entry_point, content: executable, executable: true },
    ...(await documentEntries()),
  ]);
}

// The same for all targets.
let drawn: Promise<Content> | undefined;
