// The modes of files, which Windows has not.
import { expect } from "bun:test";
import { statSync } from "node:fs";

/** Expects who may do what with a file, on systems where files say so. */
export function expectMode(path: string, mode: number): void {
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(mode);
}
