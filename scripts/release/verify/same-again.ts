// Builds the release a second time, elsewhere, out of a clone of the same commit.
import { join } from "node:path";
import { outputOf } from "../../command.ts";
import { dist, root } from "../release.ts";

/** Compares all artifacts byte by byte with those of a second build; throws an error that names what differs. */
export async function sameAgain(folder: string): Promise<string> {
  const changed = await outputOf(["git", "status", "--porcelain"], { cwd: root });
  if (changed !== "") throw new Error(`What is not committed is not in the second build:\n${changed}`);
  const clone = join(folder, "clone");
  await outputOf(["git", "clone", "--quiet", "--local", root, clone], { cwd: folder });
  await outputOf([process.execPath, "install", "--frozen-lockfile"], { cwd: clone });
  await outputOf([process.execPath, "run", "release:build"], { cwd: clone });
  const other = join(clone, "dist");
  const paths = filesOf(dist);
  if (!Bun.deepEquals(paths, filesOf(other))) throw new Error(`Other files: ${filesOf(other).join(", ")}`);
  const different: string[] = [];
  for (const path of paths) if (!(await sameBytes(join(dist, path), join(other, path)))) different.push(path);
  if (different.length > 0) throw new Error(`These differ: ${different.join(", ")}`);
  return `${paths.length} files, byte for byte`;
}

// The programs themselves too, not only what is packed of them.
function filesOf(directory: string): string[] {
  return [...new Bun.Glob("**/*").scanSync({ cwd: directory })].sort();
}

async function sameBytes(one: string, other: string): Promise<boolean> {
  const [bytes, others] = await Promise.all([Bun.file(one).bytes(), Bun.file(other).bytes()]);
  return Buffer.compare(bytes, others) === 0;
}
