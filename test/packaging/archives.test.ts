// Our own writers of archives: the same bytes twice, and what the system's programs read from them.
import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contentOf } from "../../scripts/release/content.ts";
import { tarGzip } from "../../scripts/release/tar.ts";
import { zip } from "../../scripts/release/zip.ts";
import { testNeeding } from "../facilities.ts";

const entries = async () => [
  { path: "program", content: await contentOf("#!/bin/sh\necho hello\n".repeat(1000)), executable: true },
  { path: "package/empty", content: await contentOf("") },
];

const kinds = [
  { file: "a.tar.gz", write: tarGzip, read: ["tar", "-xzf"] as const },
  {
    file: "a.zip",
    write: async (list: Awaited<ReturnType<typeof entries>>) => zip(list),
    read: ["unzip", "-q"] as const,
  },
];

for (const { file, write, read } of kinds) {
  test(`${file}: the same entries give the same bytes`, async () => {
    expect(await write(await entries())).toEqual(await write(await entries()));
  });

  testNeeding(read[0])(`${file}: the system's ${read[0]} reads it, run bit included`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "pccm-archive-"));
    try {
      await Bun.write(join(directory, file), await write(await entries()));
      const { exitCode, stderr } = Bun.spawnSync([...read, file], { cwd: directory });
      expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
      expect(readFileSync(join(directory, "program"), "utf8")).toBe("#!/bin/sh\necho hello\n".repeat(1000));
      expect(statSync(join(directory, "program")).mode & 0o777).toBe(0o755);
      expect(statSync(join(directory, "package/empty")).size).toBe(0);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
}
