// `bun run release:prepare 0.2.0`: makes the commit of a release, and says which tag starts it.
import { join } from "node:path";
import { dated } from "./notes.ts";
import { release, root } from "./release.ts";

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
await Bun.write(manifest, before.replace(`"version": "${release.version}"`, `"version": "${version}"`));
await Bun.write(changelog, result.text);
git("commit", "--quiet", "--message", `Release ${version}`, "--", "package.json", "CHANGELOG.md");
const branch = git("branch", "--show-current") || "HEAD:main";
console.log(`Committed: "Release ${version}", with its section in CHANGELOG.md as of ${today}.
When it looks right (\`git show\`), this releases it:

  git tag ${tag} && git push --atomic origin ${branch} ${tag}

Until that, \`git reset --hard HEAD~\` takes it back.`);

function git(...args: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["git", ...args], { cwd: root });
  if (exitCode !== 0) fail(`git ${args[0]} ended with ${exitCode}: ${stderr.toString().trim()}`);
  return stdout.toString().trim();
}

function fail(message: string, code = 1): never {
  console.error(message);
  process.exit(code);
}
