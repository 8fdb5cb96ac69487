// What `bun run verify` says of tests that were skipped.
import { expect, test } from "bun:test";
import {
  isLackOfVersion,
  isOfDebian,
  isOfOtherProcessor,
  skipsIn,
  skipsText,
  sumOf,
} from "../scripts/verify/skips.ts";

// As `bun test` prints it, with its list of the skipped ones at the end.
const output = `test/a.test.ts:
(pass) it does [needs jq] [0.30ms]
(skip) in zsh [needs zsh] > flags and their values
(skip) in zsh [needs zsh] > batches
(skip) a full disk [needs Linux and a disk to mount]
(skip) a group > costs what it did [since 2.1.309]
(skip) something

5 tests skipped:
(skip) in zsh [needs zsh] > flags and their values
(skip) something

 1 pass
 5 skip
`;

test("each skipped test counts once, by what its title says it needs", () => {
  const skips = skipsIn(output);
  expect(Object.fromEntries(skips)).toEqual({
    "needs zsh": 2,
    "needs Linux and a disk to mount": 1,
    "since 2.1.309": 1,
    "no reason given": 1,
  });
  expect(skipsText(skips)).toBe(
    "5 skipped: 1 [needs Linux and a disk to mount], 2 [needs zsh], 1 [no reason given], 1 [since 2.1.309]",
  );
});

test("the counts of several runs are added up", () => {
  const skips = sumOf(
    skipsIn("(skip) a [needs jq]\n"),
    skipsIn("(skip) b [needs jq]\n(skip) c [needs fish]\n"),
  );
  expect(skipsText(skips)).toBe("3 skipped: 1 [needs fish], 2 [needs jq]");
  expect(skipsText(skipsIn("(pass) all"))).toBe("");
});

test("what an older Claude Code lacks is no lack of the machine", () => {
  expect([...skipsIn(output).keys()].filter(isLackOfVersion)).toEqual(["since 2.1.309"]);
});

test("what imitates another processor is excused on that processor alone", () => {
  expect(isOfOtherProcessor("needs Linux on x64 and qemu", "arm64")).toBe(true);
  expect(isOfOtherProcessor("needs Linux on x64 and qemu", "x64")).toBe(false);
  expect(isOfOtherProcessor("needs zsh", "arm64")).toBe(false);
});

test("what comes from Debian's packages for other processors is excused on its relatives alone", () => {
  const reason = "needs qemu and Debian's musl for arm64";
  expect(isOfDebian(reason, "NAME=Ubuntu\nID=ubuntu\nID_LIKE=debian\n")).toBe(true);
  expect(isOfDebian(reason, "ID=debian\n")).toBe(false);
  expect(isOfDebian("needs zsh", "ID=ubuntu\n")).toBe(false);
});
