// A Wine prefix of our own: a C: drive and a registry, thrown away after the tests.
import { copyFileSync, cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { windowsRuntime, winePath } from "../../test/facilities.ts";
import { outputOf } from "../command.ts";

const root = join(import.meta.dir, "..", "..");

/** Makes a prefix in a folder, with Bun for Windows and what Wine lacks. */
export async function makePrefix(folder: string): Promise<void> {
  const prefix = new WinePrefix(folder);
  mkdirSync(prefix.home, { recursive: true });
  await outputOf([winePath() ?? "wine64", "wineboot", "--init"], { cwd: folder, env: prefix.environment() });
  await prefix.close();
  // Beside Windows' own libraries, every program finds it.
  const library = join(folder, "drive_c", "windows", "system32", "bcryptprimitives.dll");
  const compiler = ["x86_64-w64-mingw32-gcc", "-O2", "-Wall", "-Werror", "-shared", "-o", library];
  await outputOf([...compiler, join(root, "test", "wine", "lacking.c"), "-ladvapi32"], { cwd: root });
  copyFileSync(windowsRuntime, join(folder, "drive_c", "bun.exe"));
}

/** A prefix that was made. */
export class WinePrefix {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** That of a worker: the first is used as it is, the others are copies of it. */
  static async openCopy(folder: string, number: number): Promise<WinePrefix> {
    const path = join(folder, `prefix-${number}`);
    if (!existsSync(path))
      cpSync(join(folder, "prefix-0"), path, { recursive: true, verbatimSymlinks: true });
    const prefix = new WinePrefix(path);
    await prefix.#serve();
    return prefix;
  }

  /** Where the user's folders lead to: Wine links them into the home. */
  get home(): string {
    return join(this.folder, "home");
  }

  /** The variables of a program in this prefix, without those of the user who runs the tests. */
  environment(more: Record<string, string> = {}): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.home,
      WINEPREFIX: this.folder,
      WINEDEBUG: "-all",
      // Neither menus in a desktop, nor questions whether to install Mono and Gecko.
      WINEDLLOVERRIDES: "winemenubuilder.exe=;mscoree=;mshtml=",
      ...more,
    };
  }

  /** A path as programs in the prefix name it. Z: is the root of this machine. */
  pathOf(path: string): string {
    return `Z:${path.replaceAll("/", "\\")}`;
  }

  /** Ends all programs of the prefix, and its server. */
  close(): Promise<void> {
    return this.#server("-k", "-w");
  }

  /** Ends all programs of the prefix, which can then be used again. */
  async reopen(): Promise<void> {
    await this.close();
    await this.#serve();
  }

  // Starts the server, which stays for a minute after the last program. By itself it leaves at once, and one that comes in
  // that moment is refused.
  #serve(): Promise<void> {
    return this.#server("-p60");
  }

  async #server(...flags: string[]): Promise<void> {
    await Bun.spawn([wineserverPath(), ...flags], {
      env: this.environment(),
      stdio: ["ignore", "ignore", "ignore"],
      timeout: 30_000,
    }).exited;
  }
}

function wineserverPath(): string {
  return Bun.which("wineserver") ?? "/usr/lib/wine/wineserver64";
}
