import { expect, test } from "bun:test";
import { BadFrame, type Frame, FrameCutter, frameOf, longestFrame } from "../../src/far/frames.ts";
import { Greeted, greeting, mostBefore } from "../../src/far/greeting.ts";
import { fromKeeper, toKeeper } from "../../src/far/messages.ts";
import { numbersFrom } from "../garbage.ts";

const some = (next: () => number, most: number) => Math.floor(next() * most);

function bytes(next: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => some(next, 256));
}

function cutInto(all: Uint8Array, next: () => number, most: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < all.length; ) {
    // Now and then an empty piece.
    const length = next() < 0.1 ? 0 : 1 + some(next, most);
    pieces.push(all.slice(at, at + length));
    at += length;
  }
  return pieces;
}

function framesIn(pieces: Iterable<Uint8Array>): Frame[] {
  const cutter = new FrameCutter();
  return [...pieces].flatMap((piece) => [...cutter.push(piece)]);
}

test("frames come out as they went in, wherever the stream is cut", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const next = numbersFrom(seed);
    const sent = Array.from({ length: 1 + some(next, 12) }, (_, index) => ({
      header: { index, text: "ä😀\n\u0000".repeat(some(next, 20)) },
      body: bytes(next, some(next, 300)),
    }));
    const stream = Buffer.concat(sent.map(({ header, body }) => frameOf(header, body)));
    expect(framesIn(cutInto(stream, next, 1 + some(next, 60)))).toEqual(sent);
    const byBytes = [...stream].map((byte) => Uint8Array.of(byte));
    expect(framesIn(byBytes)).toEqual(sent);
  }
});

test("a huge frame in small pieces comes out whole, and takes no time that grows with its square", () => {
  const body = new Uint8Array(longestFrame - 1_000).fill(7);
  const frame = frameOf({ type: "data" }, body);
  const pieces = (function* () {
    for (let at = 0; at < frame.length; at += 4_096) yield frame.subarray(at, at + 4_096);
  })();
  const [only, ...others] = framesIn(pieces);
  expect(others).toEqual([]);
  expect(only?.header).toEqual({ type: "data" });
  expect(only && Buffer.compare(only.body, body)).toBe(0);
});

test("a frame that would be too long is refused where it is made", () => {
  expect(() => frameOf({}, new Uint8Array(longestFrame))).toThrow(BadFrame);
});

test("the buffer of the stream may be used again after each piece", () => {
  const frame = frameOf({ one: 1 }, Uint8Array.of(1, 2, 3));
  const buffer = new Uint8Array(1);
  const cutter = new FrameCutter();
  const found: Frame[] = [];
  for (const byte of frame) {
    buffer[0] = byte;
    found.push(...cutter.push(buffer));
  }
  expect(found).toEqual([{ header: { one: 1 }, body: Uint8Array.of(1, 2, 3) }]);
  expect(cutter.isWithin).toBe(false);
});

test("garbage is either a frame or an error, and never kept for ever", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const next = numbersFrom(seed);
    const cutter = new FrameCutter();
    try {
      for (const piece of cutInto(bytes(next, 2_000), next, 100))
        for (const { header } of cutter.push(piece)) expect(toKeeper.safeParse(header).success).toBe(false);
    } catch (error) {
      expect(error).toBeInstanceOf(BadFrame);
    }
  }
});

test("a good frame that was bent by chance gives an error or other words, and throws nothing else", () => {
  const good = frameOf({ type: "read", id: "a-1", from: 12 }, Uint8Array.of(1, 2));
  for (let seed = 1; seed <= 500; seed++) {
    const next = numbersFrom(seed);
    const bent = good.slice();
    bent[some(next, bent.length)] = some(next, 256);
    try {
      for (const { header } of new FrameCutter().push(bent)) toKeeper.safeParse(header);
    } catch (error) {
      expect(error).toBeInstanceOf(BadFrame);
    }
  }
});

test("names of files that leave their folder are refused", () => {
  const isGood = (name: string) => toKeeper.safeParse({ type: "put", name }).success;
  expect(["private/mcp-0a1b.json", "answers/001.txt"].map(isGood)).toEqual([true, true]);
  expect(["../x", "a/../x", "/etc/passwd", "a//b", "", ".", "a/.", "a\\b", "a\nb"].map(isGood)).toEqual(
    Array(9).fill(false),
  );
});

test("what a machine says to have of a repository are commits, and no options of git", () => {
  const isGood = (...commits: string[]) =>
    fromKeeper.safeParse({ type: "tree", request: 1, commits }).success;
  expect(isGood("0123456789".repeat(4))).toBe(true);
  expect(["--output=/home/me/.ssh/authorized_keys", "HEAD", ""].map((one) => isGood(one))).toEqual(
    Array(3).fill(false),
  );
});

test("what a keeper says about a session has its id and its numbers", () => {
  expect(fromKeeper.safeParse({ type: "data", id: "a", from: -1 }).success).toBe(false);
  expect(
    fromKeeper.safeParse({ type: "exited", id: "a", size: 1, exit: { code: 0 }, stderr: "" }).success,
  ).toBe(true);
});

test("whatever a login shell prints first, frames begin behind the greeting", () => {
  const before = "Welcome to Debian\nLast login: today\n";
  const behind = Buffer.from("frames");
  const all = Buffer.concat([Buffer.from(before + greeting), behind]);
  for (let length = 1; length <= all.length; length++) {
    const greeted = new Greeted();
    const got = cutEvenly(all, length).map((piece) => Buffer.from(greeted.push(piece)).toString());
    expect(got.join("")).toBe("frames");
    expect(greeted.isFound).toBe(true);
  }
});

test("who never greets is given up", () => {
  const greeted = new Greeted();
  greeted.push(Buffer.from("Permission denied"));
  expect(greeted.words).toBe("Permission denied");
  expect(() => greeted.push(new Uint8Array(mostBefore))).toThrow("no greeting");
});

function cutEvenly(all: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, index) =>
    all.slice(index * length, (index + 1) * length),
  );
}
