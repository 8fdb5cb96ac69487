// How the program is installed, out of what a release is made of: names, addresses and targets. Until there is a release,
// building it comes first, for it is what works.
import {
  archiveOf,
  bundleOf,
  hasBundle,
  isPublished,
  publisher,
  release,
  repositoryOf,
  unknownOwner,
} from "../release/release.ts";
import { needsOf, type Target, targets } from "../release/targets.ts";

const { name } = release;
const latestOf = (owner: string) => `${repositoryOf(owner)}/releases/latest`;

const fromSource = [
  "**From source**, with [Node.js](https://nodejs.org). In a clone of this repository:",
  "",
  "```sh",
  "npx -y bun@1.4.5 run build    # compiles dist/parallel-claude-code-mcp, which needs no Node.js",
  `mkdir -p ~/.local/bin && install dist/${name} ~/.local/bin/`,
  'export PATH="$HOME/.local/bin:$PATH"    # add this line to the startup file of your shell, too',
  "```",
  "",
  `On Windows, run the first line, then copy \`dist\\${name}.exe\` into a directory on \`PATH\`.`,
];

const notPublished = `There is **no release yet**, so these commands fail today. They will work with the first release, which also fills in \`${unknownOwner}\`.`;

const fromRelease = (owner: string, isPublished: boolean) => [
  `**From a release**, with one of these commands.${isPublished ? "" : ` ${notPublished}`}`,
  "",
  "```sh",
  `curl -fsSL ${latestOf(owner)}/download/install.sh | sh    # macOS, Linux`,
  `brew install ${owner}/tap/${name}    # Homebrew`,
  `npm install -g ${name}    # npm; without installing: npx -y, or bunx`,
  "```",
  "```powershell",
  `irm ${latestOf(owner)}/download/install.ps1 | iex    # Windows`,
  "```",
  "",
  `For Claude Desktop, a release also has bundles, which you install by opening one: see [docs/install.md](docs/install.md#from-a-release).`,
];

/** What the README says of installing, for readers where this owner has published, or will. */
export function installation(owner: string, isPublished: boolean): string[] {
  const [first, second] = isPublished
    ? [fromRelease(owner, true), fromSource]
    : [fromSource, fromRelease(owner, false)];
  return [...first, "", ...second];
}

const latest = latestOf(publisher);
const archive = `${name}-linux-x64.tar.gz`;

/** Every file of a release, how to install one by hand, and how to check it. */
export const downloads: string[] = [
  ...(isPublished ? [] : [`> ${notPublished}`, ""]),
  "| system | processor | needs | bundle for Claude Desktop | archive |",
  "| --- | --- | --- | --- | --- |",
  ...targets.map((target) => {
    const bundle = hasBundle(target) ? `\`${bundleOf(target)}\`` : "–";
    return `| ${systemOf(target)} | ${processorOf(target)} | ${needsOf(target)} | ${bundle} | \`${archiveOf(target)}\` |`;
  }),
  "",
  `All of them are on the page of the [newest release](${latest}). To install an archive by hand:`,
  "",
  "```sh",
  `curl -fLO ${latest}/download/${archive}`,
  `curl -fLO ${latest}/download/SHA256SUMS`,
  "sha256sum --check --ignore-missing SHA256SUMS    # macOS: shasum -a 256 --check --ignore-missing SHA256SUMS",
  `tar -xzf ${archive}`,
  "```",
  "",
  "A checksum proves that the download is complete. To prove where it was built, use GitHub's `gh`, npm, or `codesign`:",
  "",
  "```sh",
  `gh attestation verify ${archive} --repo ${publisher}/${name} \\`,
  `  --signer-workflow ${publisher}/${name}/.github/workflows/release.yml`,
  `gh attestation verify ${archive} --repo ${publisher}/${name} --predicate-type https://cyclonedx.org/bom`,
  "npm audit signatures    # in a project that installs it from npm",
  `codesign --verify --strict --verbose=2 ${name}    # macOS`,
  "```",
];

/** How far each platform has been tried, for the README. */
export const systems: string[] = [
  "| system | processor | how far it is tried |",
  "| --- | --- | --- |",
  // Processors that are tried alike share a line.
  ...[...Map.groupBy(targets, (target) => `${systemOf(target)} | ${trialOf(target)}`).values()].flatMap(
    (alike) => {
      const [first] = alike;
      if (!first) return [];
      return [`| ${systemOf(first)} | ${alike.map(processorOf).join(", ")} | ${trialOf(first)} |`];
    },
  ),
];

function trialOf({ trial: { how, what } }: Target): string {
  return `*${how}*: ${what}`;
}

function systemOf({ os, libc }: Target): string {
  if (os === "linux") return libc === "musl" ? "Linux with musl (Alpine)" : "Linux";
  return os === "darwin" ? "macOS" : "Windows";
}

function processorOf({ os, cpu }: Target): string {
  if (os !== "darwin") return cpu;
  return cpu === "arm64" ? "Apple silicon (arm64)" : "Intel (x64)";
}
