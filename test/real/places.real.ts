// Where the real `claude` keeps a conversation. `bun run test:versions`.
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { runReal } from "./session.ts";
import { useStandIn } from "./stand-in.ts";
import { claude, describeReal } from "./version.ts";

setDefaultTimeout(60_000);

const longest = 200;

describeReal("the folder of a conversation", () => {
  const standIn = useStandIn();

  /** The folder in which a session in this directory leaves its conversation. */
  async function folderOf(project: string): Promise<string | undefined> {
    const id = crypto.randomUUID();
    const at = { ...standIn.home, project };
    const path = claude?.path ?? "claude";
    await runReal(
      { claude: path, home: at, args: [`--session-id=${id}`], environment: standIn.api.environment },
      "hello",
    );
    const names = await readdir(join(standIn.home.path, ".claude/projects"), { recursive: true });
    return names.find((name) => name.endsWith(`${id}.jsonl`))?.slice(0, -`/${id}.jsonl`.length);
  }

  async function directory(...pieces: string[]): Promise<string> {
    const path = join(standIn.home.path, ...pieces);
    await mkdir(path, { recursive: true });
    return path;
  }

  test("it is named after the directory, with a hyphen for all but ASCII letters and digits", async () => {
    const path = await directory("Ä b.c_d-e+ü😀");
    expect(await folderOf(path)).toBe(hyphenated(path));
  });

  test("it is named after the real path, whatever links lead there", async () => {
    const path = await directory("real");
    const link = join(standIn.home.path, "link");
    await symlink(path, link);
    expect(await folderOf(link)).toBe(hyphenated(path));
  });

  test("a name of more than 200 characters is cut there, with a hash of the whole path behind", async () => {
    const within = await directory("x".repeat(longest - standIn.home.path.length - 1));
    expect(await folderOf(within)).toBe(hyphenated(within));
    const beyond = await directory("😀".repeat(20), "x".repeat(longest - standIn.home.path.length - 41));
    expect(beyond).toHaveLength(longest + 1);
    expect(await folderOf(beyond)).toBe(`${hyphenated(beyond).slice(0, longest)}-${hashOf(beyond)}`);
  });
});

/** By UTF-16 unit, so that an emoji makes two. */
function hyphenated(path: string): string {
  return path.replace(/[^a-zA-Z0-9]/g, "-");
}

/** Java's hash of a string, without its sign, in base 36. */
function hashOf(path: string): string {
  let hash = 0;
  for (let index = 0; index < path.length; index += 1) hash = (hash * 31 + path.charCodeAt(index)) | 0;
  return Math.abs(hash).toString(36);
}
