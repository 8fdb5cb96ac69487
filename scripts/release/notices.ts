// The licences of what is in the executable, in one text: who passes the executable on must pass these on with it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Component, compiledIn } from "./compiled-in.ts";
import { release, root } from "./release.ts";

/** What the text is called in archives, packages and bundles. */
export const noticesFile = "THIRD-PARTY-LICENSES.txt";

const rule = "=".repeat(80);
const licenceFile = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The text; the same for the same dependencies. */
export async function notices(): Promise<string> {
  const byText = Map.groupBy(await withTexts(await compiledIn()), ({ text }) => text);
  const sections = [...byText].map(([text, components]) => {
    const names = components.map(({ name, version, license }) => `${name} ${version} (${license})`);
    return `${names.join("\n")}\n\n${text}`;
  });
  return [
    `The executable of ${release.name} ${release.version} (${release.license}) contains the following works of others.`,
    ...sections,
    await bunNotice(),
  ]
    .map((section) => `${section.trim()}\n`)
    .join(`\n${rule}\n\n`);
}

function withTexts(components: readonly Component[]) {
  return Promise.all(components.map(async (one) => ({ ...one, text: await licenceText(one) })));
}

async function licenceText({ name, license, author, directory }: Component): Promise<string> {
  const files = readdirSync(directory).filter((file) => licenceFile.test(file));
  const texts = await Promise.all(files.sort().map((file) => Bun.file(join(directory, file)).text()));
  if (texts.length > 0) return texts.map((text) => text.replaceAll("\r\n", "\n").trim()).join("\n\n");
  // Some are published without the text that they name. That of MIT is the same for all but for the author.
  if (license !== "MIT" || author === undefined)
    throw new Error(`${name} brings no licence in ${directory}: it cannot be released`);
  const ours = await Bun.file(join(root, "LICENSE")).text();
  return ours.replace(/^Copyright .*$/m, `Copyright (c) ${author}`).trim();
}

// Bun's package has no licence file; its own page on licences comes with its types.
async function bunNotice(): Promise<string> {
  const types = join(root, "node_modules", "bun-types");
  const { version }: { version: string } = await Bun.file(join(types, "package.json")).json();
  const page = await Bun.file(join(types, "docs", "project", "license.mdx")).text();
  return `Bun ${Bun.version}, the runtime (MIT), and what it links. As Bun ${version} says of itself:\n\n${page.replace(/^---\n[\s\S]*?\n---\n/, "").trim()}

Relinking: this program's own source is at ${release.repository}; \`bun run build\` with a Bun that
was built from changed sources puts it together with that one.`;
}
