// `bun run release:prepare 0.2.0`: makes the commit of a release, and says which tag starts it. The first one also puts
// the owner into `package.json`, from where it comes into the documents.
import { join } from "node:path";
import { outputOf } from "../command.ts";
import { dated } from "./notes.ts";
import { isPublished, owner, release, root, unknownOwner } from "./release.ts";

const [version = "", ...more] = process.argv.slice(2);
if (more.length > 0 || !/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))
  fail(
    `release:prepare wants the version to release, such as 0.2.0; it was called with ${process.argv.slice(2).join(" ") || "nothing"}.`,
    2,
  );
if (Bun.semver.order(version, release.version) < 0)
  fail(`${version} is older than ${release.version}, which package.json has.`);
const changes = git("status", "--porcelain");
if (changes !== "") fail(`The working tree has changes; commit them or put them aside first:\n${changes}`);
const tag = `v${version}`;
if (git("tag", "--list", tag) !== "") fail(`There is a tag ${tag} already: a version is released once.`);

const manifest = join(root, "package.json");
const before = await Bun.file(manifest).text();
const changelog = join(root, "CHANGELOG.md");
const today = new Date().toISOString().slice(0, 10);
const result = dated(await Bun.file(changelog).text(), version, today);
if ("fault" in result) fail(`${result.fault}.`);
const publisher = owner === unknownOwner ? ownerOfOrigin() : owner;
if (publisher === undefined)
  fail(
    "The owner is not known, who stands in every address of the documents: set GITHUB_REPOSITORY_OWNER, or give this clone a remote `origin` on GitHub.",
  );
await Bun.write(
  manifest,
  before
    .replace(`"version": "${release.version}"`, `"version": "${version}"`)
    .replace(`"repository": "github:${unknownOwner}/`, `"repository": "github:${publisher}/`),
);
await Bun.write(changelog, result.text);
if (!isPublished) await outputOf([process.execPath, "scripts/docs.ts"], { cwd: root });
git("commit", "--quiet", "--all", "--message", `Release ${version}`);
const branch = git("branch", "--show-current") || "HEAD:main";
console.log(`Committed: "Release ${version}", with its section in CHANGELOG.md as of ${today}.
When it looks right (\`git show\`), this releases it:

  git tag ${tag} && git push --atomic origin ${branch} ${tag}

Until that, \`git reset --hard HEAD~\` takes it back.`);

function ownerOfOrigin(): string | undefined {
  const { stdout } = Bun.spawnSync(["git", "config", "--get", "remote.origin.url"], { cwd: root });
  return /\bgithub\.com[:/]([^/]+)\//.exec(stdout.toString())?.[1];
}

function git(...args: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["git", ...args], { cwd: root });
  if (exitCode !== 0) fail(`git ${args[0]} ended with ${exitCode}: ${stderr.toString().trim()}`);
  return stdout.toString().trim();
}

function fail(message: string, code = 1): never {
  console.error(message);
  process.exit(code);
}
