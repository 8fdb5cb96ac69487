// What the system throws, as a sentence that says what to do about it.
import { expect, test } from "bun:test";
import { troubleText } from "../../src/operations/trouble.ts";

const thrown = (code: string, more: object = {}) => Object.assign(new Error("it said so"), { code }, more);

test("what a user can solve says where it is, and what to do", () => {
  const path = "/a/b";
  const remedies: [code: string, remedy: string][] = [
    ["EACCES", "Check its owner and permissions, and those of the directories above it."],
    ["EPERM", "Check its owner and permissions, and those of the directories above it."],
    ["EROFS", "Its file system is read-only: choose another directory."],
    ["ENOTDIR", "Something else has that name: move it away, or choose another directory."],
    ["EIO", "Check the disk."],
    ["ENOENT", "Check that it exists and that you may use it."],
  ];
  for (const [code, remedy] of remedies) {
    const text = troubleText(thrown(code, { path }));
    expect(text).toStartWith("/a/b cannot be used: ");
    expect(text).toEndWith(`. ${remedy}`);
  }
  expect(troubleText(thrown("ENOSPC", { path }))).toStartWith(
    "/a/b cannot be written, because the disk is full.",
  );
  expect(troubleText(thrown("EDQUOT"))).toStartWith("A file cannot be written, because the disk is full.");
  expect(troubleText(thrown("ENOSPC", { path: 3 }))).toStartWith("A file cannot be written");
  expect(troubleText(thrown("EMFILE"))).toStartWith("Too many files are open.");
  expect(troubleText(thrown("ENOMEM"))).toStartWith("The system cannot start another process (");
});

test("of everything else, nothing is said", () => {
  expect(troubleText(thrown("EACCES"))).toBeUndefined();
  expect(troubleText(thrown("EACCES", { path: 3 }))).toBeUndefined();
  expect(troubleText(new Error("a fault of ours"))).toBeUndefined();
  expect(troubleText({ code: "ENOSPC" })).toBeUndefined();
  expect(troubleText(undefined)).toBeUndefined();
});
