// A real browser for tests of the pages: Bun's own WebView, which drives a headless Chromium. Where there is none,
// these tests are skipped.
import { pathToFileURL } from "node:url";
import { testNeeding } from "../facilities.ts";
import { chromiumPath } from "./chromium.ts";

const path = chromiumPath();

/** A test that needs the browser, and how long it may take in milliseconds before it counts as hanging. */
export function browserTest(title: string, run: () => Promise<void>, hangsAfterMs = 180_000): void {
  testNeeding("a browser")(title, run, hangsAfterMs);
}

/** A tab on one page, with a record of what it asked for and what went wrong in it. */
export class Page implements AsyncDisposable {
  readonly #view: Bun.WebView;
  /** Addresses that were asked for, the page's own among them. */
  readonly requests: string[] = [];
  /** Errors and refusals that the browser reported. */
  readonly complaints: string[] = [];
  /** Documents that were asked for, by the tab or within it. */
  readonly visits: string[] = [];

  constructor({ width = 1200, height = 900 } = {}) {
    this.#view = new Bun.WebView({
      width,
      height,
      backend: { type: "chrome", path: path ?? "", argv: ["--no-sandbox", "--disable-dev-shm-usage"] },
    });
  }

  /** The browser, as far as the record goes. */
  async begin(): Promise<this> {
    await this.#view.navigate("about:blank");
    this.#on("Network.requestWillBeSent", (sent) => {
      const url = textAt(sent, "request", "url");
      this.requests.push(url);
      if (textAt(sent, "type") === "Document") this.visits.push(url);
    });
    this.#on("Runtime.exceptionThrown", (thrown) => void this.complaints.push(JSON.stringify(thrown)));
    this.#on("Log.entryAdded", (added) => void this.complaints.push(textAt(added, "entry", "text")));
    for (const domain of ["Network", "Runtime", "Log"]) await this.cdp(`${domain}.enable`);
    return this;
  }

  /** Opens a file. */
  async open(file: string): Promise<void> {
    await this.#view.navigate(pathToFileURL(file).href);
  }

  /** Opens what a server has. */
  async visit(url: string): Promise<void> {
    await this.#view.navigate(url);
  }

  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown> {
    return this.#view.evaluate(expression);
  }

  /** The text of an element, as it is shown. */
  async text(selector: string): Promise<string> {
    return String(
      await this.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`),
    );
  }

  /** Clicks an element with the mouse. */
  async click(selector: string): Promise<void> {
    // The mouse goes to a place, and what grows above may move the element away from it, or out of sight: then once more.
    const mark = `(window.clickArrived = false, document.querySelector(${JSON.stringify(selector)})
      .addEventListener("click", () => (window.clickArrived = true), { once: true, capture: true }))`;
    for (let left = 10; left > 0; left--) {
      await this.#view.scrollTo(selector);
      await this.evaluate(mark);
      await this.#view.click(selector, { timeout: 3_000 }).catch(() => {});
      // After a link there is another document, or none yet: neither has the mark.
      if ((await this.evaluate("window.clickArrived").catch(() => undefined)) !== false) return;
    }
    throw new Error(`A click on ${selector} did not arrive.`);
  }

  type(text: string): Promise<void> {
    return this.#view.type(text);
  }

  press(key: string): Promise<void> {
    return this.#view.press(key);
  }

  cdp(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    return this.#view.cdp(method, params);
  }

  /** Light or dark, screen or print. */
  async media(features: { scheme?: "light" | "dark"; media?: "screen" | "print" }): Promise<void> {
    const { scheme = "light", media = "screen" } = features;
    await this.cdp("Emulation.setEmulatedMedia", {
      media,
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string, patienceMs = 80_000): Promise<void> {
    const deadline = performance.now() + patienceMs;
    // While a page gives way to another one there is nobody to ask.
    while (!(await this.evaluate(`Boolean(${expression})`).catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`It did not come true in the page: ${expression}`);
      await Bun.sleep(50);
    }
  }

  /** What the page shows to assistive technology. */
  async accessibility(): Promise<Named[]> {
    const tree = await this.cdp("Accessibility.getFullAXTree");
    const nodes: unknown = typeof tree === "object" && tree !== null ? Reflect.get(tree, "nodes") : [];
    if (!Array.isArray(nodes)) return [];
    return nodes.flatMap((node: object) => {
      if (Reflect.get(node, "ignored") === true) return [];
      return [{ role: textAt(node, "role", "value"), name: textAt(node, "name", "value") }];
    });
  }

  #on(event: string, heard: (data: unknown) => void): void {
    this.#view.addEventListener(event, (message) => heard(Reflect.get(message, "data")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#view.close();
  }
}

/** An element as assistive technology knows it. */
export interface Named {
  role: string;
  name: string;
}

function textAt(value: unknown, ...path: string[]): string {
  let at = value;
  for (const name of path) at = typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined;
  return typeof at === "string" ? at : "";
}
