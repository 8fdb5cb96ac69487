// Publishing to npm, with a registry that is a directory.
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { release } from "../../scripts/release/release.ts";
import { targets } from "../../scripts/release/targets.ts";
import { describeNeeding } from "../facilities.ts";
import { pathWith, Repositories, script } from "./release-harness.ts";

setDefaultTimeout(120_000);

const { name, secondName } = release;
const repositories = new Repositories();
afterAll(() => repositories[Symbol.dispose]());

describeNeeding("sh", "openssl")("release:publish-npm", () => {
  // A registry in a directory: `npm view` reads a file of it, `npm publish` writes one.
  const npm = `#!/bin/sh
case $1 in
  view)
    [ -n "\${REGISTRY_DOWN:-}" ] && { echo "npm error code EAI_AGAIN" >&2; exit 1; }
    [ -f "$REGISTRY/$2" ] || { echo "npm error code E404" >&2; exit 1; }
    cat "$REGISTRY/$2" ;;
  publish)
    echo "$*" >>"$REGISTRY/calls"
    case $2 in *"\${REFUSED:-nothing}"*) exit 1 ;; esac
    spec=$(basename "$2" .tgz | sed 's/-\\([0-9.]*\\)$/@\\1/')
    printf '"sha512-%s"' "$(openssl dgst -sha512 -binary "$2" | base64 | tr -d "\\n")" >"$REGISTRY/$spec" ;;
esac
`;

  function packed(): { path: string; environment: Record<string, string>; calls: () => string[] } {
    const path = repositories.copy();
    const registry = join(path, "dist", "registry");
    for (const directory of [registry, join(path, "dist", "npm")]) mkdirSync(directory, { recursive: true });
    for (const each of [...targets.map((target) => `${name}-${target.name}`), name, secondName])
      writeFileSync(join(path, "dist", "npm", `${each}-0.1.0.tgz`), each);
    const calls = join(registry, "calls");
    return {
      path,
      environment: {
        PATH: pathWith(path, "npm", npm),
        REGISTRY: registry,
        GITHUB_ACTIONS: "true",
      },
      calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
    };
  }

  test("publishes each package after what it depends on, with provenance", () => {
    const { path, environment, calls } = packed();
    expect(script(path, "release:publish-npm", [], environment)).toMatchObject({ exitCode: 0, err: "" });
    const published = (each: string) =>
      `publish ${join(path, "dist", "npm", `${each}-0.1.0.tgz`)} --access public --ignore-scripts --provenance`;
    expect(calls()).toEqual(
      [...targets.map((target) => `${name}-${target.name}`), name, secondName].map(published),
    );
  });

  test("goes on after a failure, and publishes nothing twice", () => {
    const { path, environment, calls } = packed();
    const first = script(path, "release:publish-npm", [], { ...environment, REFUSED: "darwin-x64" });
    expect(first.exitCode).toBe(1);
    expect(first.err).toContain("What was published so far stays; run this again.");
    const tried = calls().length;
    expect(script(path, "release:publish-npm", [], environment)).toMatchObject({ exitCode: 0 });
    // The one that was refused is tried again.
    expect(calls()).toHaveLength(targets.length + 3);
    expect(tried).toBeLessThan(targets.length);
    expect(script(path, "release:publish-npm", [], environment).out).toContain(
      `${name} 0.1.0 is published already.`,
    );
    expect(calls()).toHaveLength(targets.length + 3);
  });

  test("stops where the registry has other content under the version, or does not answer", () => {
    const { path, environment, calls } = packed();
    writeFileSync(join(path, "dist", "registry", `${name}-linux-x64@0.1.0`), '"sha512-other"');
    const other = script(path, "release:publish-npm", [], environment);
    expect(other.exitCode).toBe(1);
    expect(other.err).toContain("is published with other content (sha512-other");
    const down = script(path, "release:publish-npm", [], { ...environment, REGISTRY_DOWN: "1" });
    expect(down.exitCode).toBe(1);
    expect(down.err).toContain("npm error code EAI_AGAIN");
    expect(calls()).toEqual([]);
  });
});
