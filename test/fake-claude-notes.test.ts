// The notes of many fakes in one file.
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, Home } from "./harness.ts";

test("lines that processes add to a file at once are all there, and whole", async () => {
  await using home = new Home();
  const [file, gate] = [home.file("lines"), home.file("gate")];
  await Bun.write(
    home.file("add.ts"),
    `import { existsSync } from "node:fs";
    const [path, file, gate, name] = process.argv.slice(2);
    const { addLines } = await import(path);
    addLines(file, JSON.stringify({ name, number: 0 }) + "\\n");
    while (!existsSync(gate)) await Bun.sleep(5);
    for (let number = 1; number <= 50; number += 1) addLines(file, JSON.stringify({ name, number }) + "\\n");`,
  );
  const path = join(import.meta.dir, "fixtures", "fake-claude", "shared-file.ts");
  const names = ["a", "b", "c", "d"];
  const children = names.map((name) =>
    Bun.spawn([process.execPath, home.file("add.ts"), path, file, gate, name], {
      cwd: home.work,
      stdio: ["ignore", "ignore", "inherit"],
    }),
  );
  const lines = () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : []);
  // All are there before one goes on.
  await eventually(
    () => lines().length === names.length,
    () => "they do not start",
  );
  await Bun.write(gate, "");
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual(names.map(() => 0));
  const read: { name: string; number: number }[] = lines().map((line) => JSON.parse(line));
  for (const name of names)
    expect(read.filter((line) => line.name === name).map(({ number }) => number)).toEqual(
      Array.from({ length: 51 }, (_, number) => number),
    );
});
