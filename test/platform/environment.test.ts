// Environments of processes, as Windows and other systems name variables.
import { expect, test } from "bun:test";
import { cleanEnvironment, refusedVariable, sessionEnvironment } from "../../src/claude/environment.ts";
import { accountOf } from "../../src/operations/account.ts";
import { joined } from "../../src/platform/environment.ts";
import { testNeeding } from "../facilities.ts";

test("on Windows, each variable is there once, the last value wins, and `Path` is called PATH", () => {
  const parts = [
    { Path: "C:\\a", Temp: "C:\\t", none: undefined },
    { path: "C:\\b", TEMP: "C:\\u" },
  ];
  expect(joined(parts, "win32")).toEqual({ PATH: "C:\\b", Temp: "C:\\u" });
  expect(joined(parts, "linux")).toEqual({ Path: "C:\\a", Temp: "C:\\t", path: "C:\\b", TEMP: "C:\\u" });
});

test("on Windows, a task may not set a refused variable in other letters either", () => {
  for (const name of ["parallel_claude_attempt", "ClaudeCode", "Path", "anthropic_api_key", "bun_options"]) {
    expect(refusedVariable(name, "win32")).toBeDefined();
  }
  expect(refusedVariable("My_Variable", "win32")).toBeUndefined();
  expect(refusedVariable("claudecode", "linux")).toBeUndefined();
});

test("on Windows, the home of an account is that of the profile, whatever HOME a shell sets", () => {
  const profile = { USERPROFILE: "C:\\Users\\x", Path: "C:\\bin" };
  const ofDesktop = accountOf(profile, "salt", "win32");
  const ofGitBash = accountOf({ ...profile, HOME: "/c/Users/x" }, "salt", "win32");
  expect(ofGitBash.hash).toBe(ofDesktop.hash);
  expect(ofDesktop.environment).toEqual({ USERPROFILE: "C:\\Users\\x", PATH: "C:\\bin" });
  const other = accountOf({ ...profile, USERPROFILE: "C:\\Users\\y" }, "salt", "win32");
  expect(other.hash).not.toBe(ofDesktop.hash);
  expect(accountOf({ HOME: "/home/x" }, "salt", "linux").hash).not.toBe(
    accountOf({ HOME: "/home/y" }, "salt", "linux").hash,
  );
});

testNeeding("Windows")("a session gets one PATH, and nothing of ours in whatever letters", () => {
  const environment = sessionEnvironment({ Path: "C:\\own;relative", parallel_claude_x: "1" });
  const paths = Object.keys(environment).filter((name) => name.toUpperCase() === "PATH");
  expect(paths).toEqual(["PATH"]);
  expect(environment["PATH"]).toStartWith("C:\\own;");
  expect(environment["parallel_claude_x"]).toBeUndefined();
  expect(cleanEnvironment({ bun_options: "x", ClaudeCode: "1", Own: "2" })).toEqual({ Own: "2" });
});
