// Rules of `allowedTools` as advice prints them. A rule may contain what a model or a file name says, so that each is
// checked before it is named: it must be read as itself, by people, by us and by Claude Code.

/** A longer rule is not named, in characters. */
const longestRule = 300;

/** Whether a text stays the same on one line of a terminal or a page, between backticks. */
export function isPlain(text: string): boolean {
  return text !== "" && text === text.trim() && !/[^\P{C}]|[^\P{Z} ]| {2}|`/u.test(text);
}

/**
 * Whether a text is read as exactly one rule. Claude Code looks for the commas between rules outside of parentheses,
 * and does not count nested ones: a rule with parentheses inside its own could end early and allow anything.
 */
export function isOneRule(text: string): boolean {
  return text.length <= longestRule && isPlain(text) && /^[\w.-]+(?:\([^()\\]+\))?$/.test(text);
}

/** The rule `tool(content)`; nothing where it would not be read as that. */
export function ruleOf(tool: string, content: string): string | undefined {
  const rule = `${tool}(${content})`;
  return isOneRule(rule) ? rule : undefined;
}
