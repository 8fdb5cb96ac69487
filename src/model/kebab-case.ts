// The name of an option on the command line.
/** `maxTurns` → `max-turns`: the flag of an option. */
export function kebabCase(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
