// The blob store of a fleet: what is read is what was stored, or an error says why not.
import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobError, type BlobStore, blobStoreOf } from "../../src/fleet/blobs.ts";
import { testNeeding } from "../facilities.ts";
import { OwnS3 } from "./own-s3.ts";

interface Place extends AsyncDisposable {
  store: BlobStore;
  path: string;
  /** What is stored, compressed. */
  stored(name: string): Uint8Array<ArrayBuffer>;
  damage(name: string, bytes: Uint8Array<ArrayBuffer>): void;
  names(): string[];
}

function inDirectory(): Place {
  const path = mkdtempSync(join(tmpdir(), "pccm-blobs-"));
  const blobs = join(path, "blobs");
  mkdirSync(blobs);
  const fileOf = (name: string) => join(blobs, `${name}.zst`);
  return {
    store: blobStoreOf({ blobs, s3: {} }),
    path,
    stored: (name) => new Uint8Array(readFileSync(fileOf(name))),
    damage: (name, bytes) => writeFileSync(fileOf(name), bytes),
    names: () =>
      readdirSync(blobs, { recursive: true, withFileTypes: true })
        .filter((one) => one.isFile())
        .map((one) =>
          join(one.parentPath, one.name)
            .slice(blobs.length + 1)
            .replaceAll("\\", "/"),
        ),
    async [Symbol.asyncDispose]() {
      rmSync(path, { recursive: true });
    },
  };
}

function inBucket(): Place {
  const path = mkdtempSync(join(tmpdir(), "pccm-blobs-"));
  const s3 = OwnS3.start();
  const keyOf = (name: string) => `runs/one/${name}.zst`;
  return {
    store: blobStoreOf({ blobs: "s3://bucket/runs/one", s3: s3.access }),
    path,
    stored: (name) => s3.objects.get(keyOf(name)) ?? new Uint8Array(),
    damage: (name, bytes) => void s3.objects.set(keyOf(name), bytes),
    names: () => [...s3.objects.keys()].map((key) => key.slice("runs/one/".length)),
    async [Symbol.asyncDispose]() {
      await s3[Symbol.asyncDispose]();
      rmSync(path, { recursive: true });
    },
  };
}

const bytesOf = (text: string) => new TextEncoder().encode(text);

for (const [where, start] of [
  ["a directory", inDirectory],
  ["a bucket", inBucket],
] as const) {
  test(`in ${where}: a text comes back, and is stored compressed`, async () => {
    await using place = start();
    const text = "The answer is 4. ".repeat(1_000);
    const ref = await place.store.put("b4k2/3-1/answer", bytesOf(text));
    expect(ref).toMatchObject({ name: "b4k2/3-1/answer", bytes: text.length });
    expect(await place.store.text(ref, text.length)).toBe(text);
    expect(place.stored(ref.name).length).toBeLessThan(text.length / 10);
    expect(place.names()).toEqual(["b4k2/3-1/answer.zst"]);
  });

  test(`in ${where}: a transcript of 5 MB goes from file to file`, async () => {
    await using place = start();
    const from = join(place.path, "transcript.ndjson");
    const line = `${JSON.stringify({ type: "assistant", text: "x".repeat(900) })}\n`;
    const whole = Buffer.concat([Buffer.from(line.repeat(3_000)), randomBytes(2_500_000)]);
    writeFileSync(from, whole);
    const ref = await place.store.put("b/1-1/transcript", { file: from });
    const to = join(place.path, "copy.ndjson");
    await place.store.getTo(ref, to);
    expect(Buffer.compare(readFileSync(to), whole)).toBe(0);
    expect(ref.bytes).toBe(whole.length);
    if (process.platform !== "win32") expect(statSync(to).mode & 0o777).toBe(0o600);
  });

  test(`in ${where}: an empty text is a blob too`, async () => {
    await using place = start();
    const ref = await place.store.put("b/empty", bytesOf(""));
    expect(await place.store.text(ref, 0)).toBe("");
    await place.store.getTo(ref, join(place.path, "empty"));
    expect(readFileSync(join(place.path, "empty"), "utf8")).toBe("");
  });

  test(`in ${where}: what was changed, cut or exchanged is refused, and no file appears`, async () => {
    await using place = start();
    const { store, path } = place;
    const ref = await store.put("b/one", bytesOf("one thing"));
    const other = Bun.zstdCompressSync(bytesOf("One thing"));
    const to = join(path, "to");
    for (const bytes of [
      other,
      place.stored("b/one").slice(0, -3),
      bytesOf("no zstd"),
      Bun.zstdCompressSync(bytesOf("one")),
    ]) {
      place.damage("b/one", new Uint8Array(bytes));
      await expect(store.getTo(ref, to)).rejects.toThrow(BlobError);
      await expect(store.text(ref, 100)).rejects.toThrow(/b\/one cannot be read from /);
    }
    await store.put("b/one", bytesOf("one thing"));
    expect(await store.text(ref, 100)).toBe("one thing");
    expect(readdirSync(path).filter((name) => name.startsWith("to"))).toEqual([]);
  });

  test(`in ${where}: a small blob that unpacks to gigabytes is broken off at its promised length`, async () => {
    await using place = start();
    const ref = await place.store.put("b/bomb", bytesOf("short"));
    const bomb = Bun.zstdCompressSync(Buffer.alloc(200_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    place.damage("b/bomb", new Uint8Array(bomb));
    const to = join(place.path, "bomb");
    await expect(place.store.getTo(ref, to)).rejects.toThrow("longer than it should be");
    expect(await Bun.file(to).exists()).toBe(false);
  });

  test(`in ${where}: a text over the reader's own limit is refused`, async () => {
    await using place = start();
    const ref = await place.store.put("b/long", bytesOf("0123456789"));
    await expect(place.store.text(ref, 9)).rejects.toThrow("longer than it should be");
  });

  test(`in ${where}: what is not there is said to be missing, and can be removed all the same`, async () => {
    await using place = start();
    const ref = await place.store.put("b/one", bytesOf("x"));
    await place.store.remove("b/one");
    await place.store.remove("b/one");
    await expect(place.store.text(ref, 10)).rejects.toThrow("it does not exist");
  });

  test(`in ${where}: a check leaves nothing behind`, async () => {
    await using place = start();
    await place.store.check();
    expect(place.names()).toEqual([]);
  });

  test(`in ${where}: no name leads out of the store`, async () => {
    await using place = start();
    for (const name of [
      "../x",
      "a/../../x",
      "/etc/x",
      "",
      "a//b",
      ".hidden",
      "a/.b",
      "a\\b",
      "x".repeat(501),
    ])
      await expect(place.store.put(name, bytesOf("x"))).rejects.toThrow("its name cannot be one");
    expect(readdirSync(place.path, { recursive: true }).filter((name) => name !== "blobs")).toEqual([]);
  });
}

testNeeding("modes of files")("who may write in the directory of blobs may read them all", async () => {
  await using place = inDirectory();
  const blobs = join(place.path, "blobs");
  chmodSync(blobs, 0o770);
  await place.store.put("b/1/x", bytesOf("text"));
  expect(statSync(join(blobs, "b/1/x.zst")).mode & 0o777).toBe(0o660);
  expect(statSync(join(blobs, "b")).mode & 0o777).toBe(0o770);
  expect(statSync(join(blobs, "b/1")).mode & 0o777).toBe(0o770);
});

test("an error says whether the store is away, or only this blob is missing or damaged", async () => {
  await using place = inDirectory();
  const { store } = place;
  const blobs = join(place.path, "blobs");
  const ref = await store.put("b/one", bytesOf("one thing"));
  place.damage("b/one", bytesOf("no zstd"));
  await expect(store.text(ref, 100)).rejects.toMatchObject({ isOfBlob: true });
  await store.remove("b/one");
  await expect(store.text(ref, 100)).rejects.toMatchObject({ isOfBlob: true });
  rmSync(blobs, { recursive: true });
  await expect(store.text(ref, 100)).rejects.toMatchObject({ isOfBlob: false });
  await expect(store.getTo(ref, join(place.path, "to"))).rejects.toMatchObject({ isOfBlob: false });
});

testNeeding("modes of files")("others can read nothing in a directory of blobs", async () => {
  await using place = inDirectory();
  await place.store.put("b/1/x", bytesOf("x"));
  expect(statSync(join(place.path, "blobs/b/1/x.zst")).mode & 0o777).toBe(0o600);
  expect(statSync(join(place.path, "blobs/b/1")).mode & 0o777).toBe(0o700);
});

test("two that store the same name at once leave one whole blob", async () => {
  await using place = inDirectory();
  const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(300_000));
  const refs = await Promise.all(texts.map((text) => place.store.put("b/same", bytesOf(text))));
  const read = await Promise.allSettled(refs.map((ref) => place.store.text(ref, 300_000)));
  expect(read.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(place.names()).toEqual(["b/same.zst"]);
});

test("a bucket that refuses us, and one that is not there, say so", async () => {
  await using s3 = OwnS3.start();
  const wrong = blobStoreOf({ blobs: "s3://bucket", s3: { ...s3.access, secretAccessKey: "wrong" } });
  await expect(wrong.check()).rejects.toThrow(/s3:\/\/bucket cannot take .*AccessDenied/);
  const missing = blobStoreOf({ blobs: "s3://elsewhere", s3: s3.access });
  await expect(missing.check()).rejects.toThrow(/there is no such bucket/);
});

test("a directory that is not there, such as one that is not mounted, is not made", async () => {
  await using place = inDirectory();
  const blobs = join(place.path, "nothing");
  await expect(blobStoreOf({ blobs, s3: {} }).check()).rejects.toThrow("the directory does not exist");
  expect(readdirSync(place.path)).toEqual(["blobs"]);
});
