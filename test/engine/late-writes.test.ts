import { expect, test } from "bun:test";
import { join } from "node:path";
import { LateWrites } from "../../src/engine/shared/late-writes.ts";
import { filesBelow } from "../files-below.ts";
import { Home } from "../harness.ts";

function full(): Error {
  return Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
}

test("what a full disk does not take is written when it does, in order, and of one name only the last", () => {
  const late = new LateWrites();
  const written: string[] = [];
  let isFull = true;
  const write = (name: string, text: string) =>
    late.write(name, () => {
      if (isFull) throw full();
      written.push(text);
    });
  write("a", "place");
  write("b", "probe");
  write("a", "lift");
  late.flush();
  expect(written).toEqual([]);
  isFull = false;
  write("c", "load");
  late.flush();
  expect(written).toEqual(["probe", "lift", "load"]);
  late.flush();
  expect(written).toHaveLength(3);
  write("a", "at once");
  expect(written.at(-1)).toBe("at once");
});

test("a fault of ours is no trouble with the disk", () => {
  const broken = () => {
    throw new Error("Internal error: no such task");
  };
  expect(() => new LateWrites().write("a", broken)).toThrow("no such task");
});

const root = join(import.meta.dir, "../../src");

/** The methods of a file whose bodies change the database. */
async function writersIn(file: string): Promise<string[]> {
  const source = await Bun.file(join(root, file)).text();
  const methods = [...source.matchAll(/^ {2}(?:async )?(#?\w+)\([\s\S]*?^ {2}\}$/gm)];
  const direct = methods
    .filter(([text]) => /\b(?:INSERT|UPDATE|DELETE)\b/.test(text))
    .map(([, name]) => name ?? "");
  const privately = direct.filter((name) => name.startsWith("#"));
  const indirect = methods
    .filter(([text]) => privately.some((name) => text.includes(`this.${name}(`)))
    .map(([, name]) => name ?? "");
  return [...new Set([...direct, ...indirect])].filter((name) => !name.startsWith("#"));
}

/** Where they may stand: what they need of a disk is seen to there. */
/** Where the parts of a runner, and of the keeper of a far machine, are made. */
const composers = ["runner/compose-runner.ts", "hosts/serve-far.ts"];

const allowed = [
  "shared/shared-store.ts",
  "runner/runner-log.ts",
  "runner/keeper.ts",
  "runner/resume-batches.ts",
];

test("the engine writes to the store through its log and what may come late, and in no third way", async () => {
  await using home = new Home();
  expect(home.state).toBeString();
  const store = await writersIn("store/store.ts");
  const capacity = await writersIn("store/capacity.ts");
  // So that a change of form does not empty the lists.
  expect(store).toEqual(
    expect.arrayContaining(["setAlive", "setActivities", "setHeld", "claimKeeper", "announce"]),
  );
  expect(capacity).toEqual(expect.arrayContaining(["changePace", "setFootprint", "setLoad"]));
  const writers = new RegExp(`\\b#?store\\.(?:capacity\\.)?(?:${[...store, ...capacity].join("|")})\\(`);
  const found: string[] = [];
  for (const file of filesBelow(join(root, "engine"), ".ts")) {
    const source = await Bun.file(join(root, "engine", file)).text();
    const shared = source.replaceAll(/shared(?:Slots|Holds|Capacity|Row|Prefixes)\([^;]*;/g, "");
    if (allowed.includes(file)) continue;
    for (const [line] of shared.matchAll(/^.*$/gm)) {
      const isDirect =
        writers.test(line) ||
        /database\.(?:query|run|transaction)/.test(line) ||
        /import (?:type )?\{[^}]*\b(?:Capacity)\b[^}]*\} from "(?:\.\.\/)+store/.test(line);
      if (isDirect) found.push(`${file}: ${line.trim()}`);
    }
    // Made in one place only of each process, and handed on as what it is there.
    for (const name of ["Holds", "MachineSlots", "LoginProofs", "Prefixes"])
      if (!composers.includes(file) && new RegExp(`\\bnew ${name}\\(`).test(source))
        found.push(`${file}: new ${name}`);
    if (/\b(?:batchLog|#?log)\.append\(/.test(source))
      found.push(`${file}: appends to the log past RunnerLog`);
  }
  expect(found).toEqual([]);
});
