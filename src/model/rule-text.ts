// Rules of `allowedTools` in advice. A rule may contain text from a model or a file name, so each is checked first:
// people, this program and Claude Code must all read it as one and the same rule.

/** Longer rules are not printed, in characters. */
const longestRule = 300;

/** Whether a text stays unchanged on one line of a terminal or a page, between backticks. */
export function isPlain(text: string): boolean {
  return text !== "" && text === text.trim() && !/[^\P{C}]|[^\P{Z} ]| {2}|`/u.test(text);
}

/**
 * Whether a text is exactly one rule. Claude Code splits rules at commas outside of parentheses, and does not count
 * nested ones: a rule with nested parentheses could end early and allow anything.
 */
export function isOneRule(text: string): boolean {
  return text.length <= longestRule && isPlain(text) && /^[\w.-]+(?:\([^()\\]+\))?$/.test(text);
}

/** The rule `tool(content)`; undefined if it would not be read as that. */
export function ruleOf(tool: string, content: string): string | undefined {
  const rule = `${tool}(${content})`;
  return isOneRule(rule) ? rule : undefined;
}
