// Which arguments for `claude` a caller may add, and why not the others.
import { expect, test } from "bun:test";
import { isOurs, mayBeAdded, refusedArgument } from "../../src/claude/trusted-arguments.ts";

test.each(["--betas=x", "--debug", "--thinking=a\nb", "--no-chrome", "--append-system-prompt-file=/x"])(
  "%j may be added",
  (argument) => {
    expect(refusedArgument(argument)).toBeUndefined();
  },
);

const value = "write an option with its value after `=`: `--betas=NAME`";
const own = "this program sets it itself, or depends on it to read the session";

test.each([
  ["text", value],
  ["--betas x", value],
  ["---betas", value],
  ["--", value],
  ["-", value],
  ["", value],
  ["--model=opus", { option: "model" }],
  ["-n", { option: "name" }],
  ["-nx", { option: "name" }],
  ["-r=id", { option: "resumeSessionId" }],
  ["--dangerously-skip-permissions", { option: "permissionMode" }],
  ["--print", own],
  ["-p", own],
  ["-pfoo", own],
  ["--worktree=x", own],
])("%j may not: %j", (argument, reason) => {
  expect(refusedArgument(argument)).toEqual(reason);
});

test.each(["--inherit-permission-mode", "--toString", "-x", "--constructor=1"])(
  "%j, which is not known to be harmless, may not, and those that may are named",
  (argument) => {
    expect(refusedArgument(argument)).toMatch(
      /^it is not on the list of arguments that leave permissions and the session as they are: --advisor, .*, --thinking-display$/,
    );
  },
);

test("a name is that of an option that may be added, one of ours, or neither", () => {
  const of = (name: string) => [mayBeAdded(name), isOurs(name)];
  expect([of("betas"), of("print"), of("model"), of("toString")]).toEqual([
    [true, false],
    [false, true],
    [false, false],
    [false, false],
  ]);
});
