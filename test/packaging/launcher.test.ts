// The launcher of the npm package, under each runtime that is here.
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { packageOf, release, root } from "../../scripts/release/release.ts";
import { testNeeding } from "../facilities.ts";
import { eventually, Home, useProgram } from "../harness.ts";
import { RawClient } from "../raw-client.ts";
import {
  base,
  here,
  launcherIn,
  linesOf,
  packages,
  place,
  pretend,
  ran,
  runtimes,
  smallLibrary,
} from "./launcher-harness.ts";

afterAll(() => rmSync(base, { recursive: true }));

for (const { runtime, start, child } of runtimes) {
  describe(runtime, () => {
    const launcher = packages(join(base, runtime));
    const launched = [...start, launcher];

    test("arguments and environment reach the program unharmed", async () => {
      const args = ["", "two words", `"quoted'`, "$HOME *", "umlaut ü", "two\nlines", "--help"];
      const { text } = await ran([...launched, "tell", ...args]);
      expect(JSON.parse(text)).toEqual({ args, variable: "naïve value" });
    });

    test("bytes pass both ways unharmed", async () => {
      const stdin = new Uint8Array(1 << 20).map((_, at) => at ^ (at >> 8));
      const { out, err } = await ran([...launched, "echo"], { stdin });
      expect(err).toBe("");
      expect(Buffer.compare(out, stdin)).toBe(0);
    });

    test("the program's status and stderr are the launcher's", async () => {
      const { code, err, text } = await ran([...launched, "exit", "7"]);
      expect({ code, err, text }).toEqual({ code: 7, err: "on stderr", text: "" });
    });

    for (const name of ["SIGTERM", "SIGKILL", "SIGSEGV"] as const) {
      test(`a program that ${name} ends takes the launcher along with it`, async () => {
        const { signal } = await ran([...launched, "die", name]);
        expect(signal).toBe(name);
      });
    }

    if (child)
      test("a program ended by a signal that the launcher ignores gives the shell's status", async () => {
        const shell = packages(join(base, `${runtime} pipe`), undefined, "#!/bin/sh\nkill -PIPE $$\n");
        expect((await ran([...start, shell])).code).toBe(128 + constants.signals.SIGPIPE);
      });

    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      test(`${signal} that the launcher gets reaches the program`, async () => {
        const process_ = Bun.spawn([...launched, "listen"], {
          stdin: "pipe",
          stdout: "pipe",
          stderr: "inherit",
        });
        const lines = linesOf(process_.stdout);
        expect((await lines.next()).value).toEqual({ listening: true });
        process_.kill("SIGINT");
        expect((await lines.next()).value).toEqual({ interrupts: 1 });
        process_.kill(signal);
        expect((await lines.next()).value).toEqual({ signal, interrupts: 1 });
        expect(await process_.exited).toBe(0);
      });
    }

    test("Ctrl-C in a terminal interrupts the program once, not twice", async () => {
      let written = "";
      const process_ = Bun.spawn([...launched, "listen"], {
        terminal: {
          data: (_, bytes) => {
            written += new TextDecoder().decode(bytes);
          },
        },
      });
      await eventually(
        () => written.includes("listening"),
        () => written,
      );
      process_.terminal?.write("\x03");
      await eventually(
        () => written.includes('{"interrupts":1}'),
        () => written,
      );
      // Signals are passed on in their order, so an interrupt that was would be counted by now.
      process_.kill("SIGTERM");
      expect(await process_.exited).toBe(0);
      await eventually(
        () => written.includes("SIGTERM"),
        () => written,
      );
      expect(written).toContain('{"signal":"SIGTERM","interrupts":1}');
    });

    test("the server ends with the client's pipes, also after the launcher was killed", async () => {
      await using home = new Home();
      const server = `#!/bin/sh\nexec "${process.execPath}" "${join(root, "src/main.ts")}" "$@"\n`;
      using _ = useProgram([...start, packages(join(base, `${runtime} server`), undefined, server)]);
      const client = new RawClient(home);
      expect((await client.ask("tools/list")).result).toBeDefined();
      process.kill(client.pid, "SIGKILL");
      await client[Symbol.asyncDispose]();
      await home.empty();
    });
  });
}

for (const { runtime, start, child } of runtimes.filter((one) => !one.runtime.includes("without"))) {
  // Node.js ends itself when execve fails.
  const aborts = runtime === "Node.js" && !child;
  describe(`${runtime}: where the program is looked for`, () => {
    if (!aborts)
      test("a program whose loader is not on this system is told, not a trace", async () => {
        const strange = packages(join(base, `${runtime} strange`), undefined, "#!/nowhere/loader\n");
        const { code, err } = await ran([...start, strange]);
        expect(code).toBe(1);
        expect(err).toContain("could not be started: it is not made for this system's C library.");
      });

    test("a launcher reached through the link of a .bin directory finds the program, in a path with spaces", async () => {
      const modules = join(base, `${runtime} with spaces`, "node_modules");
      packages(dirname(modules));
      mkdirSync(join(modules, ".bin"));
      const link = join(modules, ".bin", release.secondName);
      symlinkSync(`../${release.name}/launcher.mjs`, link);
      expect((await ran([...start, link, "tell"])).code).toBe(0);
    });

    test("the program is found in the store of pnpm", async () => {
      const top = join(base, `${runtime}-pnpm`, "node_modules");
      const store = join(top, ".pnpm");
      const within = join(store, `${release.name}@1.0.0`, "node_modules");
      launcherIn(join(within, release.name));
      place(join(store, `${packageOf(here)}@1.0.0`, "node_modules", packageOf(here)), pretend);
      symlinkSync(
        join(store, `${packageOf(here)}@1.0.0`, "node_modules", packageOf(here)),
        join(within, packageOf(here)),
      );
      symlinkSync(join(within, release.name), join(top, release.name));
      expect((await ran([...start, join(top, release.name, "launcher.mjs"), "tell"])).code).toBe(0);
    });

    test("a missing package is named, with what to do", async () => {
      const other = packages(join(base, `${runtime} missing`), `${release.name}-plan9-x64`);
      const { code, err, text } = await ran([...start, other, "tell"]);
      expect({ code, text }).toEqual({ code: 1, text: "" });
      expect(err).toContain(`the package ${packageOf(here)} is not installed`);
      expect(err).toContain("--omit=optional");
    });

    test("a program that lost its run bit gets it back", async () => {
      const directory = join(base, `${runtime} bit`);
      const bare = packages(directory);
      chmodSync(place(join(directory, "node_modules", packageOf(here)), pretend), 0o644);
      expect((await ran([...start, bare, "tell"])).code).toBe(0);
    });

    test("a program that is not in its package is told, with its path", async () => {
      const directory = join(base, `${runtime} gone`);
      const bare = packages(directory);
      rmSync(place(join(directory, "node_modules", packageOf(here)), pretend));
      const { code, err } = await ran([...start, bare]);
      expect(code).toBe(1);
      expect(err).toContain(`the program cannot be executed: ENOENT`);
      expect(err).toContain(join(packageOf(here), "bin"));
    });

    testNeeding("Linux", "glibc")("musl is told from glibc by the loader of the process", async () => {
      const loader = join(base, `ld-musl-${process.arch}.so.1`);
      copyFileSync(smallLibrary(), loader);
      const { code, err } = await ran([...start, packages(join(base, `${runtime} musl`))], {
        environment: { LD_PRELOAD: loader },
      });
      expect(code).toBe(1);
      expect(err).toContain(`the package ${packageOf(here)}-musl is not installed`);
    });
  });
}
