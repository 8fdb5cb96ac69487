// Where install.sh puts the program, and what it says of that.
import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { release } from "../../scripts/release/release.ts";
import { testNeeding } from "../facilities.ts";
import { Installation, pretend } from "./install-harness.ts";

const { name } = release;

/** What the configuration that was printed says. */
function configurationIn(out: string): { mcpServers: Record<string, { command: string }> } {
  return JSON.parse(out.split("\n").find((line) => line.includes("mcpServers")) ?? "");
}

describe.concurrent("where it goes", () => {
  test("a place that cannot be made or written is told, and --dir offered", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const file = join(place.path, "file");
    writeFileSync(file, "");
    for (const directory of [
      file,
      join(file, "bin"),
      ...(process.platform === "linux" ? ["/proc/bin", "/sys"] : []),
    ]) {
      const { code, err } = await place.install({ args: ["--dir", directory] });
      expect(code).toBe(1);
      expect(err).toMatch(
        /install.sh: .* cannot be (made|written); choose another directory with --dir\.\n$/,
      );
    }
    expect(place.asked).toEqual([]);
  });

  const root = process.getuid?.() === 0;
  const setpriv = root ? Bun.which("setpriv") : null;
  (root ? testNeeding("setpriv") : test)("a directory without permission is told, not forced", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const directory = join(place.path, "closed");
    mkdirSync(directory, { mode: 0o555 });
    const shell = setpriv
      ? [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", Bun.which("sh") ?? ""]
      : ["sh"];
    const { code, err } = await place.install({ shell, args: ["--dir", directory] });
    expect({ code, err }).toEqual({
      code: 1,
      err: `install.sh: ${directory} cannot be written; choose another directory with --dir.\n`,
    });
  });

  test("a directory of the program's name is left alone", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    mkdirSync(place.program, { recursive: true });
    const { code, err } = await place.install();
    expect(code).toBe(1);
    expect(err).toContain(`${place.program} is a directory`);
    expect(place.left).toEqual([".local", ".local/bin", `.local/bin/${name}`]);
  });

  test("a directory with a space, quotes, a backslash and a dollar in its name", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const directory = join(place.home, `a "b" it's \\n $HOME`);
    const { code, out, err } = await place.install({ args: ["--dir", directory] });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(configurationIn(out).mcpServers["claude-code"]?.command).toBe(join(directory, name));
    const line = out.split("\n").find((one) => one.includes("export PATH=")) ?? "";
    expect(Bun.spawnSync(["sh", "-c", `${line}\n${name} --version`]).stdout.toString()).toBe("1.0.0\n");
    const hint = out.split("\n").find((one) => one.endsWith("--client claude-code")) ?? "";
    expect(Bun.spawnSync(["sh", "-c", hint]).stdout.toString()).toBe(
      "1.0.0 ran with install --client claude-code\n",
    );
    const removal = /^To remove it: (.*)$/m.exec(out)?.[1] ?? "";
    Bun.spawnSync(["sh", "-c", removal]);
    expect(place.left).toEqual([`a "b" it's \\n $HOME`]);
  });

  test("a relative directory is told by its whole path", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const { out } = await place.install({ args: ["--dir", "./made/bin/"] });
    expect(configurationIn(out).mcpServers["claude-code"]?.command).toBe(join(place.home, "made/bin", name));
  });

  test("a line break in its name is refused", async () => {
    await using place = new Installation();
    const { code, err } = await place.install({ args: ["--dir", join(place.home, "a\nb")] });
    expect(code).toBe(1);
    expect(err).toContain("the name of the directory has a line break");
    expect(place.left).toEqual([]);
  });

  test("without HOME it must be named, and named it does", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const environment = { HOME: undefined };
    const { code, err } = await place.install({ environment });
    expect({ code, err }).toEqual({
      code: 1,
      err: "install.sh: HOME is not set, so the directory must be named: --dir DIRECTORY.\n",
    });
    expect((await place.install({ environment, args: ["--dir", place.directory] })).code).toBe(0);
  });
});

describe.concurrent("what it says of PATH", () => {
  test("nothing when the directory is on it", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const { out } = await place.install({ path: place.directory });
    expect(out).not.toContain("PATH");
  });

  test("what to add when it is not, in the words of the shell", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const { out } = await place.install();
    expect(out).toContain(`${place.directory} is not on your PATH.`);
    expect(out).toContain(`\n  export PATH=${place.directory}:"$PATH"\n`);
    const fish = await place.install({ environment: { SHELL: "/usr/bin/fish" } });
    expect(fish.out).toContain(`\n  fish_add_path --prepend ${place.directory}\n`);
  });

  test("which other installation comes first, but not one that comes after or is a link to this one", async () => {
    await using place = new Installation();
    await place.offer("1.0.0");
    const [other, link] = [join(place.path, "other"), join(place.path, "link")];
    mkdirSync(other);
    mkdirSync(link);
    writeFileSync(join(other, name), pretend("0.9.0"), { mode: 0o755 });
    symlinkSync(place.program, join(link, name));
    const first = await place.install({ path: `${other}:${place.directory}` });
    expect(first.out).toContain(`Another installation comes first on your PATH: ${other}/${name}.`);
    for (const path of [`${place.directory}:${other}`, link]) {
      expect((await place.install({ path })).out).not.toContain("PATH");
    }
  });
});
