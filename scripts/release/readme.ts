// The README for places other than the repository, such as npm's pages: there, only whole addresses lead anywhere, and
// the program is published.
import { installation } from "../docs/channels.ts";
import { withSection } from "../docs/sections.ts";
import { repositoryOf } from "./release.ts";

/** The README as this owner publishes it, with whole addresses for what lies in the repository, at a tag or a branch of it. */
export function readmeFor(readme: string, owner: string, revision: string): string {
  const addressOf = (path: string) =>
    `${repositoryOf(owner)}/${isPicture(path) ? "raw" : "blob"}/${revision}/${path.replace(/^\.\//, "")}`;
  const isRelative = (address: string) => !/^(?:[a-z][a-z0-9+.-]*:|\/\/|#)/i.test(address);
  const whole = (before: string, address: string, after: string) =>
    isRelative(address) ? `${before}${addressOf(address)}${after}` : `${before}${address}${after}`;
  return outsideCode(withSection(readme, "installation", installation(owner, true)), (text) =>
    text
      .replace(/(\]\()([^()\s]+)(\))/g, (_, before: string, address: string, after: string) =>
        whole(before, address, after),
      )
      .replace(
        /(\s(?:src|srcset|href)=")([^"\s]+)(")/g,
        (_, before: string, address: string, after: string) => whole(before, address, after),
      ),
  );
}

// What stands in a block or a span of code is shown as it is.
function outsideCode(text: string, change: (text: string) => string): string {
  const code = /(^```[\s\S]*?^```$|`[^`\n]*`)/m;
  return text
    .split(code)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join("");
}

function isPicture(path: string): boolean {
  return /\.(?:png|gif|jpe?g|webp|svg)$/.test(path);
}
