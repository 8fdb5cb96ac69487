// `self-update`: how to get the newest version, by the way in which this one was installed.
import { z } from "zod";
import { product } from "../../../model/product.ts";
import { unreachable } from "../../../model/unreachable.ts";
import { type Channel, ownChannel } from "../../../platform/channel.ts";
import { type Command, jsonFlag, jsonText } from "../input/command.ts";

/** How to update a channel: what this program is there, and what to type or do. */
interface Update {
  /** "a package of npm". */
  installedAs: string;
  commands: readonly string[];
  /** What is not typed. */
  remark?: string;
}

export const selfUpdate: Command = {
  name: "self-update",
  otherNames: ["update", "upgrade", "selfupdate"],
  summary: "Say what to type for the newest version",
  description:
    "Says how this program was installed, and what to type to get its newest version. It asks no server and changes nothing, because the program that installed it should also replace it. Batches that run keep the version that they started with.",
  examples: [
    ["self-update", "Say what to type"],
    ["self-update --json | jq -r '.commands[]'", "Print only the commands"],
  ],
  input: z.strictObject({}),
  withoutFlags: [],
  own: jsonFlag,
  positionals: [],
  run: async ({ own, terminal: { out } }) => {
    const channel = ownChannel();
    const update = updateOf(channel, process.platform === "win32");
    const { version } = product;
    if (own["json"] === true) await out.print(jsonText({ version, channel: channel.kind, ...update }));
    else await out.tell(updateText(update));
    return 0;
  },
};

function updateText({ installedAs, commands, remark }: Update): string {
  const lines = commands.map((command) => `  ${command}`);
  const type = lines.length === 0 ? [] : ["To get the newest version, type:", "", ...lines, ""];
  return [
    `This is version ${product.version}, ${installedAs}.`,
    ...type,
    ...(remark === undefined ? [] : [remark]),
  ]
    .join("\n")
    .trimEnd();
}

const releases = `${product.repository}/releases/latest`;
const started =
  "Programs that run go on with this version until they are started again, such as the client of the server.";

/** What to do about a channel. */
export function updateOf(channel: Channel, isWindows: boolean): Update {
  switch (channel.kind) {
    case "source":
      return {
        installedAs: `run from its source in ${channel.directory}`,
        commands: ["git pull", "bun install"],
        remark:
          "Type it in that directory. If you have compiled it, also build and install it again, as docs/install.md says.",
      };
    case "brew":
      return {
        installedAs: "installed by Homebrew",
        commands: [`brew upgrade ${product.name}`],
        remark: started,
      };
    case "npx":
      return {
        installedAs: "fetched by npx",
        commands: [`npx -y ${product.name}@latest --version`],
        remark: `npx runs what it has fetched before, unless you ask for another version, as here. ${started}`,
      };
    case "bunx":
      return {
        installedAs: "fetched by bunx",
        commands: [`bunx ${product.name}@latest --version`],
        remark: `bunx keeps what it has fetched for a day. ${started}`,
      };
    case "npm":
      return ofPackage("installed by npm for all projects", `npm install -g ${product.name}@latest`);
    case "bun":
      return ofPackage("installed by Bun for all projects", `bun add -g ${product.name}@latest`);
    case "pnpm":
      return ofPackage("installed by pnpm for all projects", `pnpm add -g ${product.name}@latest`);
    case "yarn":
      return ofPackage("installed by Yarn for all projects", `yarn global add ${product.name}@latest`);
    case "project":
      return {
        installedAs: `a package of the project in ${channel.directory}`,
        commands: [`npm install ${product.name}@latest`],
        remark: "Type it in that directory, with the package manager of the project.",
      };
    case "bundle":
      return {
        installedAs: "a bundle in Claude Desktop",
        commands: [],
        remark: `To get the newest version, download the bundle for this machine from ${releases}, and open it.`,
      };
    case "executable":
      return ofExecutable(channel.path, isWindows);
    default:
      return unreachable(channel);
  }
}

function ofPackage(installedAs: string, command: string): Update {
  return { installedAs, commands: [command], remark: started };
}

function ofExecutable(path: string, isWindows: boolean): Update {
  const installedAs = `the executable ${path}`;
  const replaced = `This replaces the program in its usual directory; \`--dir\` names another one. ${started}`;
  return isWindows
    ? { installedAs, commands: [`irm ${releases}/download/install.ps1 | iex`], remark: started }
    : {
        installedAs,
        commands: [`curl -fsSL ${releases}/download/install.sh | sh`],
        remark: `${replaced} If you have built it yourself, build and install it again instead.`,
      };
}
