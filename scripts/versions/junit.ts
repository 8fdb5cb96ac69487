// Reads what Bun's JUnit reporter writes about each test.

/** How a test ended. */
export interface TestCase {
  name: string;
  ended: "passed" | "failed" | "skipped";
}

/** The tests of a report, in its order. */
export function testCasesIn(report: string): TestCase[] {
  return [...report.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(
    ([, name = "", inside = ""]) => ({ name: unescaped(name), ended: endOf(inside) }),
  );
}

function endOf(inside: string): TestCase["ended"] {
  if (/^\s*<skipped\b/.test(inside)) return "skipped";
  return /^\s*<(?:failure|error)\b/.test(inside) ? "failed" : "passed";
}

const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescaped(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? "");
}
