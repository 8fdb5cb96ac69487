// `bun run release:publish-npm`: publishes the packages in `dist/npm`, each after those that it depends on, so that
// whoever installs finds everything. What the registry has already is passed over, so that it can be run again after a failure.
import { join } from "node:path";
import { z } from "zod";
import { dist, packageOf, release } from "./release.ts";
import { targets } from "./targets.ts";

const names = [...targets.map(packageOf), release.name, release.secondName];

for (const name of names) {
  const tarball = join(dist, "npm", `${name}-${release.version}.tgz`);
  const file = Bun.file(tarball);
  if (!(await file.exists())) fail(`${tarball} is missing: \`release:build\` packs it.`);
  const integrity = `sha512-${new Bun.CryptoHasher("sha512").update(await file.bytes()).digest("base64")}`;
  const published = publishedIntegrity(`${name}@${release.version}`);
  if (published === integrity) {
    console.log(`${name} ${release.version} is published already.`);
  } else if (published === undefined) {
    publish(tarball);
    console.log(`${name} ${release.version} has been published.`);
  } else {
    fail(
      `${name} ${release.version} is published with other content (${published}, and here is ${integrity}). A version cannot be published twice: release the next one. After a failure, re-run the failed jobs only, so that they take the same artifacts.`,
    );
  }
}

function publishedIntegrity(spec: string): string | undefined {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["npm", "view", spec, "dist.integrity", "--json"]);
  const answer = stdout.toString().trim();
  if (exitCode === 0) return answer === "" ? undefined : z.string().parse(JSON.parse(answer));
  // Anything else than "there is none" must not lead to a guess.
  if (/\bE404\b/.test(`${answer}${stderr}`)) return undefined;
  return fail(`npm view ${spec} ended with ${exitCode}: ${stderr.toString().trim()}`);
}

function publish(tarball: string): void {
  // Only a workflow can say where it was built. By hand it is done once, for npm trusts a workflow for packages that are there.
  const provenance = Bun.env["GITHUB_ACTIONS"] === "true" ? ["--provenance"] : [];
  // A version such as 1.0.0-rc.1 must not become what everybody gets.
  const tag = release.version.includes("-") ? ["--tag", "next"] : [];
  const command = [
    "npm",
    "publish",
    tarball,
    "--access",
    "public",
    "--ignore-scripts",
    ...provenance,
    ...tag,
  ];
  const { exitCode } = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" });
  if (exitCode !== 0)
    fail(`npm publish ${tarball} ended with ${exitCode}. What was published so far stays; run this again.`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
