// What the checks of an answer found, for people.
import { type CheckResult, checkName } from "../model/checks.ts";
import { harmless } from "./harmless.ts";
import { type Html, html, nothing } from "./html.ts";

/** "passed", "failed" or "not made". */
function verdictWord({ passed, broken }: CheckResult): string {
  if (passed) return "passed";
  return broken ? "not made" : "failed";
}

/** As text: a line for each check, and indented what it said. Empty without checks. */
export function checksText(checks: readonly CheckResult[]): string {
  return checks
    .map((check) => {
      const said = harmless(check.output)
        .trimEnd()
        .split("\n")
        .map((line) => (line === "" ? "" : `  ${line}`));
      const head = `${verdictWord(check)}: ${harmless(checkName(check))}`;
      return check.output.trim() === "" ? head : [head, ...said].join("\n");
    })
    .join("\n");
}

/** The same for a page. */
export function checksHtml(checks: readonly CheckResult[] = []): Html {
  if (checks.length === 0) return nothing;
  const rows = checks.map((check) => {
    const said =
      check.output.trim() === "" ? nothing : html`<pre class="scroll">${harmless(check.output)}</pre>`;
    return html`<tr class="${check.passed ? "ok" : "bad"}"><td class="s">${verdictWord(check)}</td><td>${harmless(checkName(check))}${said}</td></tr>`;
  });
  return html`<div class="wide"><table><thead><tr><th scope="col">Result</th><th scope="col">Check</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
