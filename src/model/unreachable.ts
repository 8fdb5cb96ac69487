/** Ends a switch over a union: a case that was forgotten fails the build here. */
export function unreachable(value: never): never {
  throw new Error(`Internal error: unexpected ${JSON.stringify(value)}`);
}
