// Paths of this machine in what goes to another one.
import { expect, test } from "bun:test";
import { relocated, relocatedLine } from "../../src/far/relocated.ts";
import { farDirectoryIn } from "../../src/model/far-directory.ts";

const shop = { here: "/home/me/shop", there: "/srv/trees/one" };

test("a folder here is named as it is there, and nothing else that looks like it", () => {
  const table: [string, string][] = [
    ["Read /home/me/shop/src/a.ts.", "Read /srv/trees/one/src/a.ts."],
    ["cd /home/me/shop && ls", "cd /srv/trees/one && ls"],
    ["Read(//home/me/shop/**)", "Read(//srv/trees/one/**)"],
    ["/home/me/shop2 and /mnt/home/me/shop", "/home/me/shop2 and /mnt/home/me/shop"],
  ];
  for (const [text, there] of table) expect(relocated(text, [shop])).toBe(there);
  expect(relocated("C:\\shop\\src\\a.ts", [{ here: "C:\\shop", there: "/srv/shop" }])).toBe(
    "/srv/shop/src/a.ts",
  );
  expect(relocated("and/or", [{ here: "/", there: "/srv" }])).toBe("and/or");
});

test("in a line of JSON too, whatever is escaped in it", () => {
  const line = `${JSON.stringify({ text: 'Say "a"\n/home/me/shop/b\n', more: [1, "/home/me/shop"] })}\n`;
  expect(relocatedLine(line, [shop])).toBe(
    `${JSON.stringify({ text: 'Say "a"\n/srv/trees/one/b\n', more: [1, "/srv/trees/one"] })}\n`,
  );
});

test("a machine whose name begins like another one has its own directories", () => {
  for (const hosts of [
    ["gw", "gw:2222"],
    ["gw:2222", "gw"],
  ]) {
    expect(farDirectoryIn("gw:2222:/srv", hosts)).toEqual({ host: "gw:2222", path: "/srv" });
    expect(farDirectoryIn("gw:/srv", hosts)).toEqual({ host: "gw", path: "/srv" });
  }
});
