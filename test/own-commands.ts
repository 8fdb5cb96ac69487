// Commands of a test's own, in the folder `bin` of its home.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { product } from "../src/model/product.ts";
import { type Home, program } from "./harness.ts";

/** The PATH that has these commands first. */
export function pathWithCommands(home: Home): string {
  return `${home.file("bin")}:${home.environment["PATH"]}`;
}

/** Makes a command of lines for `sh`. */
export function putCommand(home: Home, name: string, script: string): void {
  const path = home.file(`bin/${name}`);
  mkdirSync(home.file("bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Makes our program a command, under its name. */
export function putProgram(home: Home): void {
  const words = program().map((word) => `'${word}'`);
  putCommand(home, product.name, `exec ${words.join(" ")} "$@"`);
}
