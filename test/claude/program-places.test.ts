// Where installers and version managers put programs, in which order.
import { expect, test } from "bun:test";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { describeNeeding } from "../facilities.ts";
import { Home } from "../harness.ts";

const script = `${import.meta.dir}/../../src/claude/program-places.ts`;

/** The places below a home of its own, with the directories and variables that are given; those of the system left out. */
function placesIn(
  home: Home,
  directories: string[],
  variables: Record<string, string> = {},
): [string, string][] {
  for (const directory of directories) mkdirSync(home.file(directory), { recursive: true });
  const code = `import { programPlaces } from ${JSON.stringify(script)}; console.log(JSON.stringify(programPlaces()));`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", code], {
    env: { HOME: home.path, ...variables },
  });
  const places: { who: string; directory: string }[] = JSON.parse(stdout.toString());
  return places.flatMap(({ who, directory }) =>
    directory.startsWith(`${home.path}/`) ? [[who, directory.slice(home.path.length + 1)]] : [],
  );
}

const usual: [string, string][] = [
  ["Claude Code's own installer", ".local/bin"],
  ["Claude Code's own installer", ".claude/local"],
  ["Bun", ".bun/bin"],
  ["npm", ".npm-global/bin"],
  ["Volta", ".volta/bin"],
  ["asdf", ".asdf/shims"],
  ["mise", ".local/share/mise/shims"],
];

/** A variable as npm's settings name it. */
const inBraces = (name: string) => `\${${name}}`;

describeNeeding("a system other than Windows")("the places of programs", () => {
  test("are the usual ones, whether they are there or not, and others only where they are", async () => {
    await using home = new Home();
    expect(placesIn(home, [])).toEqual(usual);
    expect(
      placesIn(home, ["n/bin", ".nodenv/shims", ".yarn/bin", ".config/yarn/global/node_modules/.bin"]),
    ).toEqual([
      ...usual,
      ["n", "n/bin"],
      ["nodenv", ".nodenv/shims"],
      ["yarn", ".yarn/bin"],
      ["yarn", ".config/yarn/global/node_modules/.bin"],
    ]);
  });

  test("are of every version of a manager, the newest first, twenty at most", async () => {
    await using home = new Home();
    const versions = ["v9.9.0", "v20.1.0", "v20.10.0"].map((version) => `.nvm/versions/node/${version}/bin`);
    const [nine, twenty, newest] = versions.map((place): [string, string] => ["nvm", place]);
    expect(placesIn(home, versions).slice(usual.length)).toEqual([newest, twenty, nine] as [
      string,
      string,
    ][]);
    const many = Array.from(
      { length: 21 },
      (_, index) => `.local/share/fnm/node-versions/v${index}/installation/bin`,
    );
    const found = placesIn(home, many).filter(([who]) => who === "fnm");
    expect(found).toHaveLength(20);
    expect(found.at(-1)).toEqual(["fnm", ".local/share/fnm/node-versions/v1/installation/bin"]);
  });

  test("of mise are those of Node.js and of Claude Code", async () => {
    await using home = new Home();
    const installs = ".local/share/mise/installs";
    const places = ["node/24.1.0", "npm-anthropic-ai-claude-code/2.1.332", "python/3.14"];
    const found = placesIn(
      home,
      places.map((place) => `${installs}/${place}/bin`),
    ).slice(usual.length);
    expect(found.map(([who, place]) => [who, place.slice(installs.length + 1)]).sort()).toEqual([
      ["mise", "node/24.1.0/bin"],
      ["mise", "npm-anthropic-ai-claude-code/2.1.332/bin"],
    ]);
  });

  test.each([
    ["prefix=~/global", "global/bin"],
    [`; prefix = /no\n  prefix = "${inBraces("HOME")}/quoted"  \n`, "quoted/bin"],
    [`prefix='${inBraces("ROOT")}/named'`, "named/bin"],
    [`prefix=${inBraces("UNKNOWN")}/x`, undefined],
    ["prefixes=~/global", undefined],
    ["prefix=relative", undefined],
  ])("of npm, with %j in ~/.npmrc, are %p", async (text, place) => {
    await using home = new Home();
    writeFileSync(home.file(".npmrc"), text);
    const made = ["global/bin", "quoted/bin", "named/bin", "relative/bin"];
    expect(placesIn(home, made, { ROOT: realpathSync(home.path) }).slice(usual.length)).toEqual(
      place === undefined ? [] : [["npm", place]],
    );
  });

  test("are where variables say, if these are absolute", async () => {
    await using home = new Home();
    const variables = {
      NVM_DIR: home.file("my-nvm"),
      PNPM_HOME: home.file("my-pnpm"),
      N_PREFIX: home.file("my-n"),
      NPM_CONFIG_PREFIX: home.file("my-npm"),
      FNM_DIR: home.file("my-fnm"),
      MISE_DATA_DIR: home.file("my-mise"),
    };
    const made = [
      ...["my-npm/bin", "my-nvm/versions/node/v1/bin", "my-mise/installs/node/1/bin"],
      ...["my-fnm/aliases/default/bin", "my-fnm/node-versions/v1/installation/bin", "my-n/bin", "my-pnpm"],
    ];
    const found = placesIn(home, made, variables).slice(usual.length);
    expect(found.map(([, place]) => place)).toEqual(made);
    expect(placesIn(home, made, { PNPM_HOME: "my-pnpm" }).slice(usual.length)).toEqual([]);
  });
});
