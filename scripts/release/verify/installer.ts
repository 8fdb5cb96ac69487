// The archive, as the installer fetches it: from a server that stands for the release's downloads.
import { join } from "node:path";
import { outputOf } from "../../command.ts";
import { dist, names } from "../release.ts";
import type { Channel } from "./channel.ts";

/** `install.sh`, or `install.ps1` on Windows. */
export const installer: Channel = {
  name: process.platform === "win32" ? "install.ps1" : "install.sh",
  async install(folder) {
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ url }) => new Response(Bun.file(join(dist, new URL(url).pathname))),
    });
    const directory = join(folder, "bin");
    const command =
      process.platform === "win32"
        ? ["powershell", "-ExecutionPolicy", "Bypass", "-File", join(dist, this.name), "-Dir", directory]
        : ["sh", join(dist, this.name), "--dir", directory];
    await outputOf(command, {
      cwd: folder,
      env: {
        HOME: folder,
        PATH: process.env["PATH"] ?? "",
        PARALLEL_CLAUDE_DOWNLOADS: server.url.href.replace(/\/$/, ""),
      },
    });
    return { commands: names.map((name) => [join(directory, name)]) };
  },
};
