// How the program is installed through each channel, out of what a release is made of: names, addresses and targets.

import { unpublishedMark } from "../release/readme.ts";
import { archiveOf, bundleOf, hasBundle, release, repositoryOf, unknownOwner } from "../release/release.ts";
import { needsOf, type Target, targets } from "../release/targets.ts";

// The README in the repository knows no owner, whoever writes it, on GitHub too.
const repository = repositoryOf(unknownOwner);
const latest = `${repository}/releases/latest/download`;
const archive = `${release.name}-linux-x64.tar.gz`;

// As long as there is no release. `readmeFor` leaves it out of what is published; remove it here after the first one.
const notPublished = `${unpublishedMark} npm, Homebrew and GitHub do not have this program, so these commands do not work today. \`${unknownOwner}\` stands for the account that will publish it. Until then, build it from source as described below.`;

/** What the README says of installing. */
export const channels: string[] = [
  notPublished,
  "",
  "```sh",
  `curl -fsSL ${latest}/install.sh | sh    # macOS and Linux, below your home`,
  `brew install ${unknownOwner}/tap/${release.name}    # Homebrew, on both`,
  `npx -y ${release.name} doctor    # npm: runs it without an installation`,
  `bunx ${release.name} doctor      # the same with Bun, and no Node.js`,
  "```",
  "",
  "Windows, in PowerShell:",
  "",
  "```powershell",
  `irm ${latest}/install.ps1 | iex`,
  "```",
  "",
  `Claude Desktop takes a bundle, without a file to edit: get the one for your machine from the [newest release](${repository}/releases/latest), and open it.`,
  "",
  "<details>",
  "<summary>Which bundle, which archive, and how to install by hand</summary>",
  "",
  "| system | processor | needs | bundle for Claude Desktop | archive |",
  "| --- | --- | --- | --- | --- |",
  ...targets.map((target) => {
    const bundle = hasBundle(target) ? `\`${bundleOf(target)}\`` : "–";
    return `| ${systemOf(target)} | ${processorOf(target)} | ${needsOf(target)} | ${bundle} | \`${archiveOf(target)}\` |`;
  }),
  "",
  "```sh",
  `curl -fLO ${latest}/${archive}`,
  `curl -fLO ${latest}/SHA256SUMS`,
  "sha256sum --check --ignore-missing SHA256SUMS    # macOS: shasum -a 256 --check --ignore-missing SHA256SUMS",
  `tar -xzf ${archive}`,
  "```",
  "",
  "</details>",
];

function systemOf({ os, libc }: Target): string {
  if (os === "linux") return libc === "musl" ? "Linux with musl (Alpine)" : "Linux";
  return os === "darwin" ? "macOS" : "Windows";
}

function processorOf({ os, cpu }: Target): string {
  if (os !== "darwin") return cpu;
  return cpu === "arm64" ? "Apple silicon (arm64)" : "Intel (x64)";
}
