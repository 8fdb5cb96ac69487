// The icon of the bundle, drawn here: tasks that run side by side, as bars of a timeline.
import { crc32, deflateSync } from "node:zlib";

const size = 512;

interface Bar {
  left: number;
  right: number;
  top: number;
  bottom: number;
  radius: number;
  color: readonly [number, number, number];
}

const ground: Bar = { left: 0, right: size, top: 0, bottom: size, radius: 112, color: [31, 36, 64] };
const bars: readonly Bar[] = [
  bar(0, 96, 330, [255, 159, 92]),
  bar(1, 96, 416, [255, 201, 107]),
  bar(2, 150, 372, [126, 214, 167]),
  bar(3, 204, 416, [104, 184, 242]),
  bar(4, 150, 300, [177, 155, 245]),
];

function bar(row: number, left: number, right: number, color: Bar["color"]): Bar {
  const top = 98 + row * 66;
  return { left, right, top, bottom: top + 52, radius: 26, color };
}

/** A PNG of 512 by 512 pixels, with rounded corners on a transparent ground. */
export function icon(): Uint8Array {
  const rows = Buffer.alloc(size * (1 + size * 4));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const color = bars.reduce((below, one) => mixed(below, one.color, coverage(one, x, y)), ground.color);
      const alpha = Math.round(255 * coverage(ground, x, y));
      // Each row begins with its filter, of which none is used: so few colors need none.
      rows.set([...color.map(Math.round), alpha], y * (1 + size * 4) + 1 + x * 4);
    }
  }
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header()),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

// How much of a pixel lies within a rounded rectangle, from its distance to the edge.
function coverage({ left, right, top, bottom, radius }: Bar, x: number, y: number): number {
  const dx = Math.abs(x + 0.5 - (left + right) / 2) - (right - left) / 2 + radius;
  const dy = Math.abs(y + 0.5 - (top + bottom) / 2) - (bottom - top) / 2 + radius;
  const outside = Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  return Math.min(Math.max(0.5 - outside, 0), 1);
}

function mixed(below: Bar["color"], above: Bar["color"], share: number): Bar["color"] {
  const [r, g, b] = below;
  const [red, green, blue] = above;
  return [r + (red - r) * share, g + (green - g) * share, b + (blue - b) * share];
}

// Eight bits for each of red, green, blue and alpha.
function header(): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(size, 0);
  bytes.writeUInt32BE(size, 4);
  bytes.set([8, 6, 0, 0, 0], 8);
  return bytes;
}

function chunk(type: string, content: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(content.length, 0);
  named.copy(whole, 4);
  whole.writeUInt32BE(crc32(named), named.length + 4);
  return whole;
}
