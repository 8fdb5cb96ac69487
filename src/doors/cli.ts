export async function runCommand(_: string[]): Promise<number> {
  return 2;
}
