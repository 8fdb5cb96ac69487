// The changelog at a release: which section is whose, and how the next one gets its date.

const unreleased = "## Unreleased";

/** What the changelog says of a version, or of what is unreleased while the version has no section. */
export function notesOf(changelog: string, version: string): string {
  const section = sectionOf(changelog, version) ?? sectionOf(changelog, "Unreleased");
  if (section === undefined)
    throw new Error(`CHANGELOG.md has no section for ${version} and none that is Unreleased`);
  return `${section}\n`;
}

/** The text below `## VERSION`, with or without a date; nothing where there is none. */
export function sectionOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const own = sections.find((text) => text.split(/\s/, 1)[0] === version);
  return own?.slice(`${own}\n`.indexOf("\n") + 1).trim();
}

/** The changelog in which what was unreleased is that version's, as of that day; and what is wrong where it cannot be. */
export function dated(changelog: string, version: string, day: string): { text: string } | { fault: string } {
  if (sectionOf(changelog, version) !== undefined)
    return { fault: `CHANGELOG.md has a section for ${version} already` };
  if (!sectionOf(changelog, "Unreleased"))
    return { fault: `CHANGELOG.md has nothing under "${unreleased}" to release` };
  return { text: changelog.replace(`${unreleased}\n`, `${unreleased}\n\n## ${version} - ${day}\n`) };
}
