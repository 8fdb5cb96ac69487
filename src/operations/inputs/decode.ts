// Decodes a file: UTF-8, or UTF-16 as Excel and PowerShell write it.

/** Not text in a supported encoding. */
class NoText extends Error {
  constructor() {
    super("it is not text in UTF-8 or UTF-16");
  }
}

/** The text, without a byte order mark. Throws `NoText`. */
export function textIn(bytes: Uint8Array): string {
  try {
    return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
  } catch {
    throw new NoText();
  }
}

/** The text, with replacement characters for invalid bytes: good enough to pass on. */
export function readableTextIn(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** How many bytes to search for NUL in every other position. */
const sampleBytes = 1_000;

function encodingOf(bytes: Uint8Array): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  // Without a byte order mark, Latin letters in UTF-16 have a NUL on one side. NUL-separated items are longer than one
  // letter.
  const sample = bytes.subarray(0, sampleBytes);
  const most = sample.length * 0.35;
  const nulsAt = (parity: number) =>
    sample.reduce((sum, byte, index) => sum + (byte === 0 && index % 2 === parity ? 1 : 0), 0);
  if (nulsAt(1) > most) return "utf-16le";
  return nulsAt(0) > most ? "utf-16be" : "utf-8";
}
