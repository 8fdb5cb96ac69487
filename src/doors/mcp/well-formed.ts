// Messages without half a character, which a text may contain that somebody cut in two. JSON has an escape for one, but
// many clients refuse the whole message, and its call is never answered.
import type { Transport } from "@modelcontextprotocol/server";

/** The transport, which sends U+FFFD for each half. */
export function sendingWellFormed(transport: Transport): Transport {
  const send = transport.send.bind(transport);
  transport.send = (message, options) => send(wellFormed(message), options);
  return transport;
}

/** The value, or a copy with U+FFFD for each half of a character. */
export function wellFormed<Value>(value: Value): Value {
  if (!mayHaveHalf.test(JSON.stringify(value))) return value;
  const copy = structuredClone(value);
  mend(copy);
  return copy;
}

// Whole characters are not escaped in JSON.
const mayHaveHalf = /\\ud[89a-f]/;

function mend(holder: unknown): void {
  if (typeof holder !== "object" || holder === null) return;
  for (const [name, value] of Object.entries(holder)) {
    if (typeof value === "object") mend(value);
    const whole: unknown = typeof value === "string" ? value.toWellFormed() : value;
    if (whole === value && name.isWellFormed()) continue;
    if (!name.isWellFormed()) Reflect.deleteProperty(holder, name);
    Reflect.set(holder, name.toWellFormed(), whole);
  }
}
