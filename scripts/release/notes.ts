// The notes of a release: its section of the changelog, or what is under Unreleased while it has none.

/** What the changelog says of a version. */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const own = sections.find((text) => text.startsWith(`${version} `) || text.startsWith(`[${version}]`));
  const section = own ?? sections.find((text) => text.startsWith("Unreleased"));
  if (section === undefined)
    throw new Error(`CHANGELOG.md has no section for ${version} and none that is Unreleased`);
  return `${section.slice(section.indexOf("\n") + 1).trim()}\n`;
}
