import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Home } from "./harness.ts";

const script = join(import.meta.dir, "../scripts/real-claude.ts");
const file = `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`;

// It notes what it is asked, says the version in `latest`, and installs a script that calls itself what was asked for.
const npm = `#!/bin/sh
echo "$1 $*" | sed -n 's/^\\(view\\|install\\).*@\\([0-9a-z.]*\\).*/\\1 \\2/p' >>"$HOME/asked"
[ -e "$HOME/offline" ] && { echo "npm error code ENOTFOUND" >&2; exit 1; }
[ "$1" = view ] && { cat "$HOME/latest"; exit; }
version=$(echo "$*" | sed 's/.*claude-code@\\([0-9.]*\\).*/\\1/')
mkdir -p "$(dirname "$3/${file}")"
printf '#!/bin/sh\\necho "%s (Claude Code)"\\n' "$version" >"$3/${file}"
chmod +x "$3/${file}"
`;

/** A home with a cache and an npm of its own. */
class NpmHome extends Home {
  readonly cache = this.file("cache");

  constructor() {
    super();
    mkdirSync(this.file("bin"));
    writeFileSync(this.file("bin/npm"), npm);
    chmodSync(this.file("bin/npm"), 0o755);
    this.latest("2.1.300");
  }

  latest(version: string): void {
    writeFileSync(this.file("latest"), `${version}\n`);
  }

  offline(): void {
    writeFileSync(this.file("offline"), "");
  }

  /** Lets npm have been asked two days ago. */
  later(): void {
    const path = join(this.cache, "latest.json");
    const { version } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ version, askedAt: Date.now() - 48 * 3_600_000 }));
  }

  asked(): string[] {
    return readFileSync(this.file("asked"), "utf8").trim().split("\n");
  }

  has(version: string): boolean {
    return existsSync(join(this.cache, version, file));
  }

  async get(version?: string): Promise<{ said: string; code: number }> {
    const child = Bun.spawn([process.execPath, script], {
      env: {
        HOME: this.path,
        PATH: `${this.file("bin")}:/usr/bin:/bin`,
        REAL_CLAUDE_CACHE: this.cache,
        ...(version === undefined ? {} : { REAL_CLAUDE_VERSION: version }),
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    return { said: (await child.stderr.text()).trim(), code: await child.exited };
  }
}

test("versions of the real claude are installed side by side, each once", async () => {
  await using home = new NpmHome();
  expect(await home.get("2.1.200")).toEqual({ said: "claude 2.1.200", code: 0 });
  expect(await home.get("oldest")).toEqual({ said: "claude 2.1.197", code: 0 });
  expect(await home.get("2.1.200")).toEqual({ said: "claude 2.1.200", code: 0 });
  expect(home.asked()).toEqual(["install 2.1.200", "install 2.1.197"]);
});

test("what the latest real claude is, npm is asked once a day, and the one before goes", async () => {
  await using home = new NpmHome();
  expect(await home.get()).toEqual({ said: "claude 2.1.300", code: 0 });
  home.latest("2.1.301");
  expect(await home.get("latest")).toEqual({ said: "claude 2.1.300", code: 0 });
  expect(home.asked()).toEqual(["view latest", "install 2.1.300"]);
  home.later();
  expect(await home.get()).toEqual({ said: "claude 2.1.301", code: 0 });
  expect({ former: home.has("2.1.300"), newest: home.has("2.1.301") }).toEqual({
    former: false,
    newest: true,
  });
});

test("without npm the newest real claude that is there is used instead of the latest, and says so", async () => {
  await using home = new NpmHome();
  await home.get("2.1.200");
  await home.get("2.1.99");
  home.offline();
  const { said, code } = await home.get();
  expect(code).toBe(0);
  expect(said).toContain("Using claude 2.1.200, because the latest version could not be determined");
  expect(said).toEndWith("claude 2.1.200");
  // The next file of the same run does not wait for npm again.
  expect(await home.get()).toEqual({ said: "claude 2.1.200", code: 0 });
});

test("without npm and without anything in the cache there is no real claude, and why is said", async () => {
  await using home = new NpmHome();
  home.offline();
  const skipped = (what: string) => ({
    said: `skipped: npm ${what} failed: npm error code ENOTFOUND`,
    code: 1,
  });
  expect(await home.get()).toEqual(skipped("view"));
  expect(await home.get("2.1.200")).toEqual(skipped("install"));
});
