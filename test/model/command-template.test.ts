// A command with placeholders: how values get into it, and what is refused.
import { describe, expect, test } from "bun:test";
import {
  filledWords,
  placeholdersIn,
  templateTrouble,
  valueTrouble,
} from "../../src/model/command-template.ts";

const nasty = `a b'"; rm -rf $HOME \`id\` && {{stem}}`;

test("a value is part of its word, whatever it contains", () => {
  expect(filledWords("wc -l {{file}}", { file: nasty })).toEqual(["wc", "-l", nasty]);
  expect(filledWords(`wc "--name={{ file }}" 'x {{stem}}'`, { file: nasty, stem: "s" })).toEqual([
    "wc",
    `--name=${nasty}`,
    "x s",
  ]);
  expect(filledWords("sh -c 'wc \"$1\"' sh {{file}}", { file: nasty })).toEqual([
    "sh",
    "-c",
    'wc "$1"',
    "sh",
    nasty,
  ]);
});

test("a file whose name begins with a dash is no option", () => {
  expect(filledWords("wc {{file}} {{file}}.bak", { file: "-l" })).toEqual(["wc", "./-l", "./-l.bak"]);
  expect(filledWords("wc --name={{file}}", { file: "-l" })).toEqual(["wc", "--name=-l"]);
  expect(valueTrouble("wc {{file}}", { file: "-l" })).toBeUndefined();
  expect(valueTrouble("grep {{word}} x", { word: "-f/etc/passwd" })).toContain(
    'puts "-f/etc/passwd" where the command would take it for an option',
  );
  expect(valueTrouble("grep --regexp={{word}} x", { word: "-f" })).toBeUndefined();
  expect(valueTrouble("wc {{file}}", { file: "a\0b" })).toContain("NUL");
});

test("what has no value stays, and each name is found once", () => {
  expect(filledWords("echo {{other}}", {})).toEqual(["echo", "{{other}}"]);
  expect(placeholdersIn("{{a}} {{ b }} {{a}} {c} {{}}")).toEqual(["a", "b"]);
});

describe("a placeholder in a text that an interpreter runs is refused", () => {
  for (const command of [
    "sh -c 'wc {{file}}'",
    "bash -lc 'wc {{file}}'",
    "/bin/sh -c {{file}}",
    "env X=1 sh -c 'wc {{file}}'",
    "bun -e 'x({{file}})'",
    "node --eval {{file}}",
    "python3 -c {{file}}",
    "cmd /c {{file}}",
    "powershell -Command {{file}}",
  ])
    test(command, () => expect(templateTrouble(command)).toContain("as code"));

  for (const command of [
    "sh check.sh {{file}}",
    "sh -c 'wc \"$1\"' sh {{file}}",
    "npx tsc -p {{file}}",
    "node {{file}}",
    "powershell -File check.ps1 {{file}}",
  ])
    test(`not in ${command}`, () => expect(templateTrouble(command)).toBeUndefined());

  test("nor can it name the program, or be no program at all", () => {
    expect(templateTrouble("{{file}} --version")).toContain("must name its program itself");
    expect(templateTrouble("  ")).toBe("names no program");
  });
});
