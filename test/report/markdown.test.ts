import { describe, expect, test } from "bun:test";
import { highlighted } from "../../src/report/highlight.ts";
import { namesLanguage, safeMarkdown } from "../../src/report/markdown.ts";
import { markupOf, namesIn } from "./markup.ts";

const allowedNames = new Set(
  "p em strong del code pre blockquote ul ol li h3 h4 h5 h6 hr br table thead tbody tr th td div span a sup details summary".split(
    " ",
  ),
);
const allowedAttributes: Record<string, string[]> = {
  a: ["href", "rel", "class", "id", "aria-label"],
  details: ["open"],
  ol: ["start", "class"],
  th: ["align", "class"],
  td: ["align", "class"],
  li: ["class", "id"],
  div: ["class", "data-language"],
  pre: ["class"],
  span: ["role", "aria-label", "class"],
};

const knownClasses = ["short", "bare", "wide", "check", "plain", "code", "notes"].concat([
  "word",
  "name",
  "text",
  "number",
  "remark",
  "added",
  "removed",
]);

function expectSafe(html: string): void {
  const { elements, comments } = markupOf(html);
  expect(comments).toEqual([]);
  for (const { name, attributes } of elements) {
    if (!allowedNames.has(name)) expect(name).toBe("an allowed element");
    for (const attribute of attributes.keys()) {
      if (!allowedAttributes[name]?.includes(attribute)) expect(`${name} ${attribute}`).toBe("allowed");
    }
    const kind = attributes.get("class");
    if (kind !== undefined) expect(knownClasses).toContain(kind);
    const id = attributes.get("id");
    if (id !== undefined) expect(id).toMatch(/^(?:note|from)-[0-9a-z]+-\d+$/);
    if (name !== "a") continue;
    // From a note to its place in the text, and back.
    if (/^#(?:note|from)-[0-9a-z]+-\d+$/.test(attributes.get("href") ?? "")) continue;
    expect(attributes.get("href")).toMatch(/^(?:https?:\/\/|mailto:)/i);
    expect(attributes.get("rel")).toBe("noopener noreferrer nofollow");
  }
}

const hostile: Record<string, string> = {
  "a script": "<script>alert(1)</script>",
  "a script within a paragraph": "text <script src=//evil.example/x.js></script> text",
  "a script in capitals, unclosed": "<SCRIPT\n>alert(1)",
  "an event handler": '<b onclick="alert(1)">x</b>',
  "an event handler with a slash": "<svg/onload=alert(1)>",
  "a raw image": "<img src=x onerror=alert(1)>",
  "an iframe": '<iframe src="https://evil.example"></iframe>',
  "an object, an embed, a form":
    "<object data=x></object><embed src=x><form action=x><input name=y><button>z</button></form>",
  "a style element": "<style>body{display:none}</style>",
  "a style attribute": '<p style="position:fixed;inset:0">x</p>',
  "a meta refresh": '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  "a base": '<base href="https://evil.example/">',
  "a comment": "<!-- hidden --> <!--> <!---> --!>",
  "an svg": '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  math: '<math><mi xlink:href="data:x,<script>alert(1)</script>"></mi></math>',
  "a CDATA section and an instruction": "<![CDATA[<script>]]> <?xml version='1.0'?> <!DOCTYPE html>",
  "an end of the page": "</div></section></main></body></html><script>alert(1)</script>",
  "a textarea, a title, a noscript":
    "</textarea></title><noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "a javascript link": "[x](javascript:alert(1))",
  "a javascript link in mixed case": "[x](JaVaScRiPt:alert(1))",
  "a javascript link with an entity":
    "[x](javascript&#58;alert(1)) [x](&#x6A;avascript:alert(1)) [x](javascript&colon;alert(1))",
  "a javascript link with a tab":
    "[x](java&#9;script:alert(1)) [x](<java\tscript:alert(1)>) [x](java&Tab;script:alert(1))",
  "a javascript link with a newline": "[x](java&#10;script:alert(1)) [x](java&NewLine;script:alert(1))",
  "a javascript link after a blank":
    "[x](&#32;javascript:alert(1)) [x](< javascript:alert(1)>) [x](&#1;javascript:alert(1))",
  "a javascript link with a slash": "[x](\\javascript:alert(1)) [x](javascript://https://a%0aalert(1))",
  "percent signs": "[x](javascript%3Aalert(1)) [x](%6Aavascript:alert(1))",
  "a vbscript, file, blob and view-source link":
    "[x](vbscript:x) [x](file:///etc/passwd) [x](blob:https://a/b) [x](view-source:https://a)",
  "a data link": "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "a data image": "![x](data:image/svg+xml,<svg onload=alert(1)>)",
  "a link without scheme": "[x](//evil.example) [x](/etc/passwd) [x](#here) [x](?q) [x]()",
  "an image that tells who reads": '![a "b" <c>](https://evil.example/pixel.png?x="y" "ti<b>tle")',
  "an image with a handler in its text": '![x" onerror="alert(1)](https://evil.example/x.png)',
  "an image in a link, a link in an image":
    "[![x](https://a/i.png)](javascript:alert(1)) [![x](javascript:b)](https://a) ![[x](https://a)](https://b)",
  "a quote in an address": '[x](https://a/"onmouseover="alert(1)) [x](<https://a/" onmouseover="alert(1)>)',
  "HTML in a title": '[x](https://a "<script>alert(1)</script>") [x](https://a \'" onclick="alert(1)\')',
  "HTML in the text of a link": "[<img src=x onerror=alert(1)>](https://a)",
  "an autolink": '<javascript:alert(1)> <https://a/<script>> <https://a/"onclick=alert(1)>',
  "bare addresses":
    'https://a/"><script>alert(1)</script> www.a.b/<script> me@a.b"onclick=x javascript:alert(1)',
  "a reference link": '[x][r] [r]\n\n[r]: javascript:alert(1) "<b>"\n[s]: data:text/html,x\n\n[s]',
  "a language with a handler": '```js"onclick="alert(1)\nx\n```\n~~~"><script>alert(1)</script>\nx\n~~~',
  "an unclosed fence": "```\n<script>alert(1)</script>",
  "HTML in code":
    "`<script>alert(1)</script>` `` ` <img src=x onerror=alert(1)> ``\n\n    <script>alert(1)</script>",
  "HTML in a table":
    "|<script>|`</code><script>`|\n|:-|-:|\n|<img src=x onerror=alert(1)>|[x](javascript:alert(1))|",
  "entities that spell a tag":
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62; &#x3c;img src=x onerror=alert(1)&#x3e;",
  "entities of entities": "&amp;lt;script&amp;gt; &amp;#60;script>",
  "a heading with an id": '# x {#id onclick=alert(1)}\n\n<h1 id="location">x</h1>',
  "control characters":
    "\u0000<scr\u0000ipt>alert(1)</script>\u0000 \u001b[31m \ufeff<\u200bscript> \u2028<script>",
  "half a character": "\ud800<script>\udc00[x](java\ud800script:alert(1))",
  "a checkbox": '- [x] <input type="checkbox" onclick="alert(1)">\n- [ ] [x](javascript:alert(1))',
  "the renderer's own tags, written out":
    '<a href="https://a">x</a> <ol start="1"> <li class="task-list-item"> <code class="language-x"><p>',
};

const folded = (body: string) => `<details>\n<summary>More</summary>\n\n${body}\n\n</details>`;

const linkTo = (href: string, inner: string) =>
  `<a href="${href}" rel="noopener noreferrer nofollow">${inner}</a>`;

describe("safeMarkdown", () => {
  test.each(Object.entries(hostile))("makes %s harmless", (_, text) => {
    expectSafe(safeMarkdown(text, highlighted));
    // The same within a list, a quotation, emphasis and a table.
    expectSafe(safeMarkdown(`- ${text}\n\n> ${text}\n\n**${text}**\n\n|a|\n|-|\n|${text}|`));
    // The same within a folded part and its summary, and within a footnote and its label.
    expectSafe(safeMarkdown(folded(text), highlighted));
    expectSafe(safeMarkdown(`<details open ${text}>\n<summary>${text}</summary>\n</details>`));
    expectSafe(safeMarkdown(`a[^1] b[^${text}]\n\n[^1]: ${text}\n[^${text}]: c`));
  });

  test("shows raw HTML to the reader as it was written", () => {
    const { text } = markupOf(safeMarkdown('Use <b onclick="x">bold</b> and <!-- a comment -->.'));
    expect(text.trim()).toBe('Use <b onclick="x">bold</b> and <!-- a comment -->.');
  });

  test("shows where a refused link leads, as text", () => {
    const html = safeMarkdown("[state.ts](src/model/state.ts:12)");
    expect(markupOf(html).text.trim()).toBe("state.ts (src/model/state.ts:12)");
    expect(namesIn(html)).toEqual(["p"]);
  });

  test("makes an image a link that nothing fetches", () => {
    const html = safeMarkdown("![a chart](https://a.example/x.png)");
    expect(namesIn(html)).toEqual(["p", "a"]);
    expect(markupOf(html).text.trim()).toBe("Image: a chart");
  });

  test("keeps links to http, https and mailto, bare and in angle brackets too", () => {
    const html = safeMarkdown(
      "[a](https://a.example/?x=1&y=2) <https://b.example> http://c.example <mailto:d@e.example>",
    );
    const targets = markupOf(html).elements.flatMap(({ attributes }) => attributes.get("href") ?? []);
    expect(targets.slice(0, 3)).toEqual([
      "https://a.example/?x=1&amp;y=2",
      "https://b.example",
      "http://c.example",
    ]);
  });

  test("keeps an address in code as it is", () => {
    expect(namesIn(safeMarkdown("`<https://a.example>`"))).toEqual(["p", "code"]);
  });

  test("renders headings below those of the page, tables, task lists and code", () => {
    const headings = ["# a", "###### b", "## c", "### d", "# e", "#### f"];
    expect(namesIn(safeMarkdown(headings.join("\n\n")))).toEqual(["h3", "h4", "h4", "h5", "h3", "h4"]);
    expect(namesIn(safeMarkdown("## only\n\n## these"))).toEqual(["h3", "h3"]);
    expect(namesIn(safeMarkdown("|a|\n|-:|\n|1|"))).toEqual([
      "div",
      "table",
      "thead",
      "tr",
      "th",
      "tbody",
      "tr",
      "td",
    ]);
    expect(markupOf(safeMarkdown("- [x] read\n- [ ] mended")).text).toMatch(/☑ read\s+☐ mended/);
    expect(safeMarkdown("```ts\nlet a = 1 < 2;\n```")).toBe(
      '<div class="code" data-language="ts"><pre><code>let a = 1 &lt; 2;\n</code></pre></div>\n',
    );
    expect(safeMarkdown("    let a;\n")).toBe('<div class="code"><pre><code>let a;\n</code></pre></div>\n');
    const diagram = safeMarkdown("```Mermaid\ngraph TD\n```");
    expect(diagram).toContain('data-language="diagram, as source"');
    expect(safeMarkdown('```"><script>\nx\n```')).toStartWith('<div class="code"><pre><code>x');
  });

  test("keeps short cells in one line, and marks a link that shows where it leads", () => {
    const html = safeMarkdown(
      `|a|b|\n|-|-:|\n|2026-01-04|\`if (x)\`|\n|<https://a.example/x>|${"long ".repeat(9)}|\n`,
    );
    expect(html).toContain('<td class="short">2026-01-04</td>');
    expect(html).toContain('<td class="short" align="right"><code>if (x)</code></td>');
    expect(html).toContain('<a class="bare" href="https://a.example/x"');
    expect(html).toContain('<td align="right">long');
    expect(safeMarkdown("[words](https://a.example/x)")).not.toContain("class");
  });

  test.each([
    ["a heading and text", "# a\n\ntext", "<h3>a</h3>\n<p>text</p>\n"],
    ["a hard line break", "a  \nb\\\nc\nd", "<p>a<br>\nb<br>\nc\nd</p>\n"],
    [
      "an address with escapes and entities",
      "[x](https://a/b_\\(c\\)?d=1&amp;e=2)",
      `<p>${linkTo("https://a/b_(c)?d=1&amp;e=2", "x")}</p>\n`,
    ],
    ["a list that begins elsewhere", "3. c\n4. d", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n'],
    ["emphasis in a link", "[**b** x](https://a)", `<p>${linkTo("https://a", "<strong>b</strong> x")}</p>\n`],
    [
      "an address in a link",
      "[a <https://q>](https://b)",
      `<p>${linkTo("https://b", "a &lt;https://q&gt;")}</p>\n`,
    ],
    ["an image in a link", "[![i](https://i/x)](https://l)", `<p>${linkTo("https://l", "Image: i")}</p>\n`],
    [
      "an image that cannot be linked to",
      "![alt](ftp://x) ![](ftp://x)",
      "<p>Image: alt (ftp://x) Image: ftp://x</p>\n",
    ],
    [
      "a refused link whose text is its target, one that has none, and one of another",
      "[#x](#x) [y]() [z](q)",
      "<p>#x y z (q)</p>\n",
    ],
    [
      "Markdown within raw HTML",
      "<div>\n**b**\n</div>",
      "<p>&lt;div&gt;\n<strong>b</strong>\n&lt;/div&gt;</p>\n",
    ],
    [
      "a tag of the renderer's own, written out",
      "<p>a</p> <em>b</em>",
      "<p>&lt;p&gt;a&lt;/p&gt; &lt;em&gt;b&lt;/em&gt;</p>\n",
    ],
    ["one within a paragraph", "a <em>b</em>", "<p>a &lt;em&gt;b&lt;/em&gt;</p>\n"],
  ])("renders %s", (_, text, html) => {
    expect(safeMarkdown(text)).toBe(html);
  });

  test.each([
    ["line breaks", "a  \n"],
    ["paragraphs", "a\n\n"],
    ["boxes to check", "- [ ] a\n"],
    ["images", "![a](https://a)\n"],
  ])("takes many %s one after the other for no nesting", (_, text) => {
    expect(namesIn(safeMarkdown(text.repeat(150)))).not.toContain("pre");
  });

  test.each([
    [50, "ul"],
    [51, "pre"],
  ])("shows %d lists within each other, two elements each, as %s", (depth, name) => {
    const text = Array.from({ length: depth }, (_, level) => `${"  ".repeat(level)}- x`).join("\n");
    expect(namesIn(safeMarkdown(text))[0]).toBe(name);
  });

  test("puts footnotes at the end, each with links there and back, and loses none", () => {
    const html = safeMarkdown(
      "One[^a] two[^b], again[^a], none[^c], `x[^a]`.\n\n[^b]: Second, see[^d]\n[^a]: First\n    ```\n    code\n    ```\nText.\n\n[^d]: Third\n\n    more\n\n[^e]: Never referred to",
    );
    const [, key = ""] = /id="from-(\w+)-1"/.exec(html) ?? [];
    const to = (number: number, id: string) =>
      `<sup><a href="#note-${key}-${number}"${id} aria-label="Note ${number}">${number}</a></sup>`;
    const from = (number: number) => ` id="from-${key}-${number}"`;
    expect(html).toContain(
      `<p>One${to(1, from(1))} two${to(2, from(2))}, again${to(1, "")}, none[^c], <code>x[^a]</code>.</p>`,
    );
    const [, notes = ""] = html.split('<ol class="notes">');
    const back = (number: number) =>
      `<a href="#from-${key}-${number}" aria-label="Back to note ${number} in the text">↩</a>`;
    expect(notes).toStartWith(`\n<li id="note-${key}-1"><p>First</p>\n<div class="code">`);
    expect(notes).toContain(`<p>Second, see${to(3, from(3))} ${back(2)}</p></li>`);
    expect(notes).toContain(`<li id="note-${key}-3"><p>Third</p>\n<p>more ${back(3)}</p></li>`);
    expect(notes).toContain("<li><p>Never referred to</p></li>");
    expect(html).toContain("<p>Text.</p>");
    expect(safeMarkdown("```\n[^1]: code\n```\na[^1]")).toContain("[^1]: code");
  });

  test("folds what an answer folds, also within a list, and shows tags that fit nothing", () => {
    expect(safeMarkdown("<details>\n<summary><b>More</b> `x`</summary>\n\n- a\n\n</details>\n\nafter")).toBe(
      "<details>\n<summary>More <code>x</code></summary>\n<ul>\n<li>a</li>\n</ul>\n</details>\n<p>after</p>\n",
    );
    expect(safeMarkdown("<details open><summary>\nMore\n</summary>one line</details>")).toBe(
      "<details open>\n<summary>More</summary>\n<p>one line</p>\n</details>\n",
    );
    const inList = safeMarkdown(
      "1. Step\n\n   <details>\n   <details>\n   x\n   </details>\n   </details>\n\n2. Next",
    );
    expect(namesIn(inList)).toEqual([
      "ol",
      "li",
      "p",
      "details",
      "summary",
      "details",
      "summary",
      "p",
      "li",
      "p",
    ]);
    for (const text of [
      "</details>\n\n<summary>x</summary>",
      "<details>\n\n- a\n  </details>",
      "- <details>\n\n</details>",
      "```\n<details>\n</details>\n```",
    ]) {
      expect(namesIn(safeMarkdown(text))).not.toContain("details");
      expect(markupOf(safeMarkdown(text)).text).toContain("details>");
    }
  });

  test("shows a formula as it is written, and breaks lines in a cell", () => {
    const html = safeMarkdown(
      "Then\n$$\na_1 * b_2\n$$\nand $$x_1$$ here, `<br>`.\n\n\\[\nc_1\n\\]\n\n\\[a\\]",
    );
    expect(html).toContain(
      '<div class="code" data-language="formula, as source"><pre><code>a_1 * b_2\n</code></pre></div>',
    );
    expect(html).toContain("<pre><code>c_1\n</code></pre>");
    expect(html).toContain("<p>and $$x_1$$ here, <code>&lt;br&gt;</code>.</p>");
    expect(html).toContain("<p>[a]</p>");
    expect(safeMarkdown("|a|\n|-|\n|b<br>c|")).toContain('<td class="short">b<br>c</td>');
  });

  test("shows what is longer than two million characters as it was written", () => {
    expect(safeMarkdown(`**${"x".repeat(2_000_000)}**`)).toStartWith('<pre class="plain">**x');
    expect(safeMarkdown(`**${"x".repeat(1_000_000)}**`)).toStartWith("<p><strong>x");
  });

  const pathological: Record<string, string> = {
    "20,000 footnotes": `${"a[^b] ".repeat(10_000)}\n\n${Array.from({ length: 10_000 }, (_, at) => `[^b${at}]: c`).join("\n")}`,
    "folded parts that never end": "<details>\n".repeat(50_000),
    "folded parts within each other": `${"<details>\n".repeat(5_000)}x\n${"</details>\n".repeat(5_000)}`,
    "summaries that never end": "<summary>".repeat(50_000),
    "formulas that never end": "\\[\n".repeat(100_000),
    "10,000 nested quotations": `${">".repeat(10_000)}x`,
    "10,000 nested quotations with blanks": `${"> ".repeat(10_000)}x`,
    "10,000 nested lists": `${"- ".repeat(10_000)}x`,
    "lists that go deeper with each line": Array.from(
      { length: 1_000 },
      (_, depth) => `${"  ".repeat(depth)}- x`,
    ).join("\n"),
    "10,000 open brackets": "[".repeat(10_000),
    "10,000 nested links": `${"[".repeat(10_000)}a${"](https://b)".repeat(10_000)}`,
    "10,000 nested images": `${"![".repeat(10_000)}a${"](https://b)".repeat(10_000)}`,
    "100,000 stars around a letter": `${"*".repeat(100_000)}a${"*".repeat(100_000)}`,
    "emphasis that never closes": "*a **b ~~c ".repeat(20_000),
    "fences of every length": Array.from({ length: 500 }, (_, length) => "`".repeat(length + 1)).join(" "),
    "a long address, referred to 100,000 times": `[a]: https://${"x".repeat(50_000)}\n\n${"[a] ".repeat(100_000)}`,
    "a million angle brackets": "<".repeat(1_000_000),
    "addresses that never end": "<https://".repeat(100_000),
    "a table of 1,000 columns": `${"|a".repeat(1_000)}\n${"|-".repeat(1_000)}\n${"|\n".repeat(10_000)}`,
    "a megabyte of prose": "Some **bold** text with [a link](https://a.example) and `code`.\n\n".repeat(
      16_000,
    ),
    "three megabytes": "x ".repeat(1_500_000),
  };

  test.each(Object.entries(pathological))(
    "survives %s",
    (_, text) => {
      const html = safeMarkdown(text);
      expect(html.length).toBeGreaterThan(0);
      if (html.length < 500_000) expectSafe(html);
    },
    5_000,
  );

  test("falls back to the text as written when elements are nested too deep", () => {
    const html = safeMarkdown(`${">".repeat(10_000)}<script>`);
    expect(namesIn(html)).toEqual(["pre"]);
    expect(markupOf(html).text).toBe(`${">".repeat(10_000)}<script>`);
  });
});

describe("code that is marked", () => {
  const languages =
    "bash c cpp cs css diff dockerfile go html ini java js json kotlin makefile php powershell".split(" ");
  languages.push(..."python ruby rust scss sql swift toml ts tsx xml yaml".split(" "));

  test("has its words, texts, numbers and remarks apart, and shows every character of it", () => {
    const code = 'const a = "<b>" + 1; // <i>&amp;\n';
    const marked = highlighted(code, "ts") ?? "";
    expect(marked).toContain('<span class="word">const</span>');
    expect(marked).toContain('<span class="text">&quot;&lt;b&gt;&quot;</span>');
    expect(marked).toContain('<span class="number">1</span>');
    expect(marked).toContain('<span class="remark">// &lt;i&gt;&amp;amp;</span>');
    const page = safeMarkdown(`\`\`\`ts\n${code}\`\`\``, highlighted);
    expect(page).toContain(marked);
    expect(markupOf(page).text.trim()).toBe(code.trim());
  });

  test("is in a language that is known, and no whole file", () => {
    expect(highlighted("x", "brainfuck")).toBeUndefined();
    expect(highlighted("x".repeat(60_001), "ts")).toBeUndefined();
    expect(highlighted("", "ts")).toBe("");
    // What would take its square in time.
    for (const one of ["a", " ", "\n"]) expect(highlighted(`x=${one.repeat(2_000)}`, "js")).toBeUndefined();
    for (const language of languages)
      expect({ language, known: highlighted("a", language) !== undefined }).toMatchObject({ known: true });
  });

  test("is safe, whatever it says, in every language", () => {
    for (const text of Object.values(hostile)) {
      if (text.includes("```")) continue;
      for (const language of languages) {
        const html = safeMarkdown(`\`\`\`${language}\n${text}\n\`\`\``, highlighted);
        expectSafe(html);
        expect(markupOf(html).text.trim()).toBe(
          markupOf(safeMarkdown(`\`\`\`\n${text}\n\`\`\``)).text.trim(),
        );
      }
    }
  });

  test("stays as it is if the marks are not those of the code", () => {
    const marks = () => undefined;
    expect(safeMarkdown("```ts\n1\n```", marks)).toContain("<code>1\n</code>");
  });

  test("is what makes a page load the library", () => {
    const cases: [string, boolean][] = [
      ["```ts\n1\n```", true],
      ["> ~~~ python\n> 1\n> ~~~", true],
      ["- a\n\n  ```c++\n  1\n  ```", true],
      ["```\n1\n```", false],
      ["`ts`", false],
      ["", false],
    ];
    for (const [text, does] of cases) expect({ text, does: namesLanguage(text) }).toEqual({ text, does });
  });
});
