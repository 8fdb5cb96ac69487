// The pages that `ui` serves: who gets them, what they say, what they follow, and what can be done from them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { flagWording } from "../../src/doors/cli/input/flag-wording.ts";
import { openUi, type UiServer } from "../../src/doors/ui/server.ts";
import { changeBatch } from "../../src/operations/change.ts";
import type { Context } from "../../src/operations/context.ts";
import { retryBatch } from "../../src/operations/retry.ts";
import { keepOnlyPort, keepServer, lastServer } from "../../src/operations/ui/place.ts";
import { UserError } from "../../src/operations/user-error.ts";
import { totalsHtml } from "../../src/report/batches-page.ts";
import { injectionsTo } from "../browser/injections.ts";
import { testNeeding } from "../facilities.ts";
import { crashed, failed, Inside, type TestBatch } from "../inside.ts";

const token = "a-token-of-this-test-with-enough-characters";
let inside: Inside;
let context: Context;
let server: UiServer;
let cookie = "";
let key = "";
let batch: TestBatch;

beforeAll(async () => {
  inside = new Inside();
  context = inside.context("command-line");
  server = openUi(context, { port: 0, token });
  batch = inside
    .batch(context, { tasks: 5, batch: { name: "First" } })
    .answer(1, "# A heading\n\nThe answer of one.", {
      usage: { costUsd: 0.25, numTurns: 1, durationMs: 1_000 },
    })
    .end(2, failed)
    .end(3, crashed)
    .start(4);
  ({ cookie, key } = await enter(server));
});

afterAll(() => {
  server[Symbol.dispose]();
  inside[Symbol.dispose]();
});

/** A browser that follows the printed address. */
async function enter(to: UiServer): Promise<{ cookie: string; key: string }> {
  const reply = await fetch(to.addressOf(`/batches/${batch.id}`), { redirect: "manual" });
  const set = reply.headers.get("set-cookie") ?? "";
  const own = set.split(";")[0] ?? "";
  const page = await fetch(`http://127.0.0.1:${to.port}/batches/${batch.id}`, { headers: { Cookie: own } });
  return { cookie: own, key: /data-key="([^"]+)"/.exec(await page.text())?.[1] ?? "" };
}

function get(path: string, headers: Record<string, string> = {}, at = server): Promise<Response> {
  return fetch(`http://127.0.0.1:${at.port}${path}`, {
    headers: { Cookie: cookie, ...headers },
    redirect: "manual",
  });
}

const text = async (path: string) => (await get(path)).text();

/** What a page sends with an action. */
function pageHeaders(): Record<string, string> {
  return {
    Cookie: cookie,
    Origin: `http://127.0.0.1:${server.port}`,
    "Content-Type": "application/json",
    "X-Page-Key": key,
    "Sec-Fetch-Site": "same-origin",
  };
}

async function act(
  what: string,
  details: unknown = {},
  headers: Record<string, string> = {},
): Promise<{ status: number; said: Record<string, unknown> }> {
  const reply = await fetch(`http://127.0.0.1:${server.port}/batches/${batch.id}/${what}`, {
    method: "POST",
    headers: { ...pageHeaders(), ...headers },
    body: typeof details === "string" ? details : JSON.stringify(details),
  });
  const isJson = reply.headers.get("content-type") === "application/json";
  const said: Record<string, unknown> = isJson ? JSON.parse(await reply.text()) : {};
  return { status: reply.status, said };
}

describe("a browser", () => {
  test("is let in once by an address, keeps a cookie that no script reads, and the address has no secret any more", async () => {
    const address = server.addressOf("/");
    expect((await fetch(address.split("?")[0] ?? "")).status).toBe(401);
    const first = await fetch(address, { redirect: "manual" });
    expect(first.status).toBe(200);
    expect(first.headers.get("set-cookie")).toMatch(
      /^ui-\d+=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    );
    expect(first.headers.get("set-cookie")).not.toContain(token);
    expect(await first.text()).toContain('content="0; url=/"');
    const second = await fetch(address);
    expect(second.status).toBe(401);
    expect(await second.text()).toContain("has been used already");
    // One that was let in already may come by an old address.
    expect((await fetch(address, { headers: { Cookie: cookie } })).status).toBe(200);
    expect((await get("/?code=another")).status).toBe(200);
    // Nor does an address lead elsewhere.
    expect(await text("//elsewhere.example/?code=another")).toContain('content="0; url=/"');
  });

  test("may be a program with the token, which the cookie does not show", async () => {
    const known = { Cookie: "", Authorization: `Bearer ${token}` };
    expect((await get("/", known)).status).toBe(200);
    expect((await get("/", { Cookie: "", Authorization: "Bearer wrong" })).status).toBe(401);
    expect((await get("/", { Cookie: `ui-${server.port}=${token}` })).status).toBe(401);
    // Another server of this machine may set one of the same name.
    expect((await get("/", { Cookie: `ui-${server.port}=another; ${cookie}` })).status).toBe(200);
  });

  test("may be Prometheus, for which the counters of all batches grow", async () => {
    const scrape = async (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${server.port}/metrics`, { headers });
    expect((await scrape({})).status).toBe(401);
    const reply = await scrape({ Authorization: `Bearer ${token}` });
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const failed = 'parallel_claude_attempts_total{outcome="failed",reason="max-turns"}';
    expect(await reply.text()).toContain(`\n${failed} 1\n`);
    const before = await (await scrape({ Authorization: `Bearer ${token}` })).text();
    const other = inside.batch(context, { tasks: 1 }).answer(1, "More", {
      usage: { costUsd: 0.5, numTurns: 1, durationMs: 1_000 },
    });
    other.finish();
    const after = await (await scrape({ Authorization: `Bearer ${token}` })).text();
    const cost = (text: string) =>
      Number(/parallel_claude_cost_usd_total\{model="unknown"\} (\S+)/.exec(text)?.[1]);
    expect(cost(after) - cost(before)).toBeCloseTo(0.5, 10);
    // What prune removes has been counted.
    expect(context.store.forget(other.log.batchId)).toBeTrue();
    const pruned = await (await scrape({ Authorization: `Bearer ${token}` })).text();
    expect(cost(pruned)).toBe(cost(after));
  });

  test("gets pages that nobody may frame, keep, or read from elsewhere", async () => {
    const { headers } = await get("/");
    expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });

  test.each([
    ["another name for this machine", { Host: "evil.example:80" }, 403],
    ["another port", { Host: "127.0.0.1:1" }, 403],
    ["a page of another site", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image" }, 403],
    ["another server of this machine", { "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script" }, 403],
    ["a frame in another page", nav("same-site", "iframe"), 403],
    ["a link that somebody follows", nav("same-site", "document"), 200],
    ["its own pages", { "Sec-Fetch-Site": "same-origin" }, 200],
    ["an address that somebody types", nav("none", "document"), 200],
  ] as [string, Record<string, string>, number][])(
    "is asked from %s: %p is %d",
    async (_, headers, status) => {
      expect((await get("/", headers)).status).toBe(status);
    },
  );

  test("may say localhost", async () => {
    expect((await get("/", { Host: `localhost:${server.port}` })).status).toBe(200);
  });

  test.each([
    "/ui-token",
    "/../ui-token",
    "/batches/..%2f..%2fui-token",
    "/batches/%2e%2e/%2e%2e/ui-token",
    "/batches/aaaaaaaa",
    "/batches/latest",
    "/batches/BATCH/tasks/0",
    "/batches/BATCH/tasks/-1",
    "/batches/BATCH/tasks/99",
    "/batches/BATCH/tasks/1e0",
    "/batches/BATCH/sessions/5",
    "/batches/BATCH/table.csv",
    "/batches/BATCH/cancel",
  ])("finds nothing at %s", async (path) => {
    expect((await get(path.replace("BATCH", batch.id))).status).toBe(404);
  });
});

/** What a command says that was refused. */
async function inWords(refused: Promise<unknown>): Promise<string> {
  const error = await refused.catch((why: unknown) => why);
  return error instanceof UserError ? error.textIn(flagWording([])) : String(error);
}

function nav(site: string, dest: string): Record<string, string> {
  return { "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": dest };
}

describe("a change", () => {
  test.each([
    ["without the cookie", { Cookie: "" }, 401],
    ["without the key of a page", { "X-Page-Key": "" }, 403],
    ["with another key", { "X-Page-Key": "x".repeat(43) }, 403],
    ["from another origin", { Origin: "http://evil.example" }, 403],
    ["from another server of this machine", { Origin: "http://127.0.0.1:1" }, 403],
    ["from nowhere", { Origin: "null" }, 403],
    ["from a page of another site", { "Sec-Fetch-Site": "cross-site" }, 403],
    ["from one of the same site, even by a link", nav("same-site", "document"), 403],
    ["as a form", { "Content-Type": "text/plain" }, 403],
    ["under another name", { Host: "evil.example" }, 403],
  ] as [string, Record<string, string>, number][])("%s changes nothing", async (_, headers, status) => {
    batch.log.refresh();
    const before = batch.log.sequence;
    expect((await act("cancel", {}, headers)).status).toBe(status);
    expect((await act("pause", {}, headers)).status).toBe(status);
    batch.log.refresh();
    expect(batch.log.sequence).toBe(before);
  });

  test.each([
    ["no such thing", "explode", {}, 404],
    ["no JSON", "cancel", "tasks=1", 400],
    ["a list", "cancel", [1], 400],
    ["an unknown field", "retry", { permissionMode: "bypassPermissions" }, 422],
    ["a field of another action", "cancel", { model: "opus" }, 422],
    ["a number that is none", "change", { concurrency: "many" }, 422],
    ["nothing", "change", {}, 422],
    ["a task that does not exist", "cancel", { tasks: "99" }, 422],
  ])("that asks for %s changes nothing", async (_, what, details, status) => {
    const before = batch.log.sequence;
    expect((await act(what, details)).status).toBe(status);
    batch.log.refresh();
    expect(batch.log.sequence).toBe(before);
  });

  test.each([
    ["retry", { maxTurns: "0" }, "“Turns of a session at most” was given as 0: expected at least 1"],
    ["change", { concurrency: "many" }, "“Sessions at once” "],
    ["change", { batchBudgetUsd: "-1" }, "“Budget of the batch (USD)” "],
    ["change", { constructor: "1" }, "constructor is not known"],
  ])("to %s with %p is refused in the words of its dialog", async (what, details, says) => {
    expect((await act(what, details)).said["error"]).toContain(says);
  });

  test.each(["latest", "First", "aaaaaaaa"])("of a batch that is called %s changes none", async (name) => {
    const before = batch.log.sequence;
    const path = `http://127.0.0.1:${server.port}/batches/${name}/cancel`;
    const asked = { method: "POST", headers: pageHeaders(), body: "{}" };
    expect((await fetch(path, asked)).status).toBe(404);
    expect((await fetch(path.replace(name, batch.id.slice(0, 4)), asked)).status).toBe(404);
    batch.log.refresh();
    expect(batch.log.sequence).toBe(before);
  });

  test("does what the command does, and refuses in the same words", async () => {
    await using page = await follow(`/batches/${batch.id}/events`);
    expect((await act("pause")).said["message"]).toStartWith("No more sessions start.");
    batch.log.refresh();
    expect(batch.log.state.paused).toBeDefined();
    expect((await act("pause")).said["message"]).toStartWith("Nothing has changed: it was so already.");
    expect((await act("change", { concurrency: "7", batchBudgetUsd: "12.5" })).status).toBe(200);
    // Dialogs of open pages say so.
    const says = ({ parts }: Change) =>
      /name="concurrency" placeholder="([^"]*)"/.exec(parts["dialogs"] ?? "")?.[1];
    for (let change = await page.next(); says(change) !== "now 7"; ) change = await page.next();
    expect((await act("go-on")).status).toBe(200);
    batch.log.refresh();
    expect(batch.log.state.paused).toBeUndefined();
    expect(batch.log.state.batch.concurrency).toBe(7);
    expect(batch.log.state.budgetUsd).toBe(12.5);

    expect((await act("cancel", { tasks: "5" })).status).toBe(200);
    const retried = await act("retry", { tasks: "2, 3", model: "opus", timeoutSeconds: "60" });
    expect(retried.said["message"]).toContain("2 tasks are run again");
    batch.log.refresh();
    const { tasks, batch: newest } = batch.log.state;
    expect(tasks.slice(1, 3).map(({ status }) => status)).toEqual(["queued", "queued"]);
    expect(newest.tasks[1]).toMatchObject({ options: { model: "opus", timeoutSeconds: 60 } });

    const low = { batchId: batch.id, batchBudgetUsd: 0.1 };
    const refused = await inWords(changeBatch.run(context, low, inside.call()));
    expect((await act("change", { batchBudgetUsd: "0.1" })).said["error"]).toBe(refused);
    const again = await inWords(retryBatch.run(context, { batchId: batch.id, tasks: [1] }, inside.call()));
    expect((await act("retry", { tasks: "1" })).said["error"]).toBe(again);
  });
});

describe("the pages", () => {
  test("list all batches, and lead to each and to its tasks and sessions", async () => {
    const other = inside.batch(context, { tasks: 2 }).answer(1, "yes").end(2, failed).finish();
    const list = await text("/");
    expect(list).toContain(`<a href="/batches/${batch.id}">First</a> <small>${batch.id}</small>`);
    expect(list.indexOf(other.id)).toBeLessThan(list.indexOf(batch.id));
    const page = await text(`/batches/${other.id}`);
    expect(page).toContain('<a href="/">All batches</a>');
    // A retry of what failed for one cause begins with what helps.
    expect(page).toMatch(/data-act="retry" data-tasks="2" data-fields="\{&quot;maxTurns&quot;:\d+\}"/);
    expect(page).toContain(`href="/batches/${other.id}/tasks/1"`);
    expect(page).toContain(`href="/batches/${other.id}/sessions/2"`);
    const result = await text(`/batches/${batch.id}/tasks/1`);
    expect(result).toContain("<p>The answer of one.</p>");
    expect(result).toContain(`<a href="/batches/${batch.id}/tasks/2" rel="next">Task 2 →</a>`);
    expect(await text(`/batches/${other.id}/tasks/2`)).toContain("What happened");
    expect(await text(`/batches/${other.id}/sessions/2`)).toContain(`href="/batches/${other.id}/tasks/2"`);
    expect(await text(`/batches/${other.id}/texts.js`)).toContain('taskText(1,"answer","yes")');
    const running = await get(`/batches/${batch.id}/tasks/4`);
    expect(running.headers.get("location")).toBe(`/batches/${batch.id}/sessions/4`);
  });

  test("offer no retry where only a tool that is allowed would help, and name a task that has the key of another one", async () => {
    const denial = { tool: "Bash", rule: "Bash(npm test:*)" };
    const usage = { costUsd: 0.25, numTurns: 1, durationMs: 1_000, denials: [denial] };
    const tasks = [{ prompt: "one", key: "2" }, { prompt: "two" }];
    const denied = inside.batch(context, { tasks }).answer(1, "no", { usage }).start(2);
    const page = await text(`/batches/${denied.id}`);
    expect(page).toContain("Claude was not allowed to use Bash");
    expect(page).not.toContain('class="small" data-act="retry"');
    expect(page).toContain('data-act="cancel" data-tasks="#2" aria-label="Cancel task 2"');
  });

  test("have no place for what a session, a prompt or a name says to act", async () => {
    const all = Object.values(injectionsTo("http://127.0.0.1:9/stolen"));
    const tasks = all.map((prompt, index) => ({ prompt, key: `${index}${prompt}`.slice(0, 190) }));
    const hostile = inside.batch(context, { tasks, batch: { name: all.join(" ").slice(0, 3_000) } });
    for (const [index, words] of all.entries()) {
      const task = index + 1;
      if (index % 2 === 0) hostile.answer(task, words);
      else hostile.end(task, { kind: "failed", reason: "execution", message: words });
    }
    hostile.finish();
    const at = `/batches/${hostile.id}`;
    const paths = ["/", at, ...all.flatMap((_, index) => [`${at}/tasks/${index + 1}`])];
    paths.push(...all.map((_, index) => `${at}/sessions/${index + 1}`));
    for (const path of paths) expect([path, await foreignIn(await text(path))]).toEqual([path, []]);
    const script = await text(`${at}/texts.js`);
    const heard: unknown[][] = [];
    const top: Record<string, unknown> = {};
    new Function("taskText", "top", "window", script)((...said: unknown[]) => heard.push(said), top, top);
    expect(heard).toHaveLength(2 * all.length);
    expect(top).toEqual({});
  });
});

test("whatever stands in a code, a key, a name of the server, an origin, an address or a field lets nobody in, changes nothing, and comes back as text", async () => {
  batch.log.refresh();
  const before = batch.log.sequence;
  const texts = Object.entries(injectionsTo("http://127.0.0.1:9/stolen"));
  expect(texts.length).toBeGreaterThanOrEqual(96);
  for (const [name, text] of texts) {
    // As far as a header can have it.
    const header = text.replace(/[^\x20-\x7e]/g, " ").trim();
    const asked = encodeURIComponent(text.toWellFormed());
    const replies: [what: string, status: number, reply: Promise<Response>][] = [
      ["code", 401, get(`/?code=${asked}`, { Cookie: "" })],
      ["cookie", 401, get("/", { Cookie: `ui-${server.port}=${header.replaceAll(";", "")}` })],
      ["token", 401, get("/", { Cookie: "", Authorization: `Bearer ${header}` })],
      ["server", 403, get("/", { Host: header })],
      ["address", 404, get(`/batches/${asked}`)],
      ["task", 404, get(`/batches/${batch.id}/tasks/${asked}`)],
    ];
    for (const [what, status, reply] of replies) {
      const { status: given, headers } = await reply;
      const page = await (await reply).text();
      expect({ name, what, given, foreign: await foreignIn(page) }).toEqual({
        name,
        what,
        given: status,
        foreign: [],
      });
      expect(headers.get("set-cookie")).toBeNull();
    }
    expect({ name, ...(await act("cancel", {}, { "X-Page-Key": header })) }).toMatchObject({
      name,
      status: 403,
    });
    expect({ name, ...(await act("cancel", {}, { Origin: header })) }).toMatchObject({ name, status: 403 });
    for (const field of [{ tasks: text }, { [text]: "1" }])
      expect({ name, ...(await act("cancel", field)) }).toMatchObject({ name, status: 422 });
  }
  batch.log.refresh();
  expect(batch.log.sequence).toBe(before);
});

/** What a page has that none of ours has, or more of than ours have. */
async function foreignIn(page: string): Promise<string[]> {
  const found: string[] = [];
  let scripts = 0;
  const rewriter = new HTMLRewriter().on("*", {
    element: (element) => {
      const { tagName } = element;
      if (tagName === "script") scripts++;
      if (/^(img|iframe|object|embed|base|link|video|audio|math|template|use|textarea)$/.test(tagName))
        found.push(tagName);
      for (const [name = "", value = ""] of element.attributes) {
        if (/^on|^style$|^srcdoc$|^action$|^formaction$/.test(name)) found.push(name);
        if (/^(href|src)$/.test(name) && /^\s*(javascript|data|vbscript):/i.test(value)) found.push(value);
      }
    },
  });
  await rewriter.transform(new Response(page)).text();
  return scripts > 1 ? [...found, `${scripts} scripts`] : found;
}

describe("the changes of a batch", () => {
  test("come by themselves, only what is new, to all who follow, and again after a restart", async () => {
    const followed = inside.batch(context, { tasks: 300 });
    // As another process writes it.
    using elsewhere = inside.context();
    const log = elsewhere.store.batch(followed.log.batchId);
    const other = log ? followed.over(log) : followed;
    const path = `/batches/${followed.id}`;
    const mark = /data-mark="([^"]+)"/.exec(await text(path))?.[1] ?? "";
    await using one = await follow(`${path}/events?since=${mark}`);
    await using two = await follow(`${path}/events`);
    // A page that was just made has everything; who comes without a mark gets everything.
    expect((await one.next()).rows).toEqual([]);
    expect((await two.next()).rows).toHaveLength(300);

    other.answer(7, "seven");
    const changes = [await one.until(7), await two.until(7)];
    for (const { rows, parts } of changes) {
      expect(rows.length).toBeLessThan(3);
      expect(Object.keys(parts)).toContain("progress");
      expect(Object.keys(parts)).not.toContain("about");
      expect(Object.keys(parts)).not.toContain("dialogs");
    }
    const seen = one.mark;
    other.answer(9, "nine");
    await two.until(9);
    await using again = await follow(`${path}/events?since=${mark}`, { "Last-Event-ID": seen });
    expect((await again.next()).rows.map(([task]) => task)).toEqual([9]);

    using restarted = openUi(context, { port: 0, token });
    const entered = await enter(restarted);
    // The key of a page that was open before is as good as before.
    expect(entered.key).toBe(key);
    await using later = await follow(
      `${path}/events`,
      { Cookie: entered.cookie, "Last-Event-ID": seen },
      restarted,
    );
    expect((await later.next()).rows).toHaveLength(300);
  });

  test("come for the list, too: what has changed, and what is new or gone", async () => {
    await using list = await follow("/events");
    await list.next();
    using elsewhere = inside.context();
    const fresh = inside.batch(elsewhere, { tasks: 1, batch: { name: "Quite new" } });
    let change = await list.next();
    while (!change.rows.some(([id]) => id === fresh.id)) change = await list.next();
    expect(change.all?.[0]).toBe(fresh.id);
    expect(change.rows).toHaveLength(1);
  });
});

testNeeding("files that can be removed while open")(
  "a state directory that was moved away is not made anew, and pages follow the one that is there in the end",
  async () => {
    using own = new Inside();
    using ownServer = openUi(own.context("command-line"), { port: 0, token });
    const known = { Cookie: "", Authorization: `Bearer ${token}` };
    const old = own.batch(own.context()).finish();
    await using list = await follow("/events", known, ownServer);
    expect((await list.next()).rows.map(([id]) => id)).toEqual([old.id]);

    // On the same disk.
    const away = `${own.state}-away`;
    renameSync(own.state, away);
    for (const path of ["/", "/events", `/batches/${old.id}`, `/batches/${old.id}/events`]) {
      const reply = await get(path, known, ownServer);
      expect([path, reply.status]).toEqual([path, 503]);
      expect(await reply.text()).toContain("was removed or moved");
    }
    expect(existsSync(own.state)).toBeFalse();

    own.remove(away);
    mkdirSync(own.state);
    const fresh = own.batch(own.context()).finish();
    const page = await (await get("/", known, ownServer)).text();
    expect(page).toContain(fresh.id);
    expect(page).not.toContain(old.id);
    await expect(list.next()).rejects.toThrow("The stream has ended.");
    await using again = await follow("/events", { ...known, "Last-Event-ID": list.mark }, ownServer);
    expect((await again.next()).rows.map(([id]) => id)).toEqual([fresh.id]);
  },
);

test("the server that ends does not hide another one that has begun since", async () => {
  using own = new Inside();
  const here = own.context();
  await keepServer(here, 8_001);
  expect(lastServer(here)).toEqual({ port: 8_001, isAlive: true });
  await keepOnlyPort(here, 8_001);
  expect(lastServer(here)).toEqual({ port: 8_001, isAlive: false });
  const gone = { boot: "another", namespace: "", pid: 4_194_305, startTicks: "1" };
  const another = JSON.stringify({ port: 8_002, process: gone });
  await Bun.write(here.store.layout.uiServerFile, another);
  await keepOnlyPort(here, 8_001);
  expect(await Bun.file(here.store.layout.uiServerFile).text()).toBe(another);
});

test("a list that has only the newest batches says so in its totals", () => {
  const spent = { todayUsd: 1, monthUsd: 2 };
  expect(totalsHtml([], { spent, isCut: true }).toString()).toContain("<dt>Newest batches</dt>");
  expect(totalsHtml([], { spent, isCut: false }).toString()).toContain("<dt>Batches</dt>");
});

interface Change {
  rows: [number | string, string][];
  parts: Record<string, string>;
  all?: string[];
}

/** Reads events as a browser does. */
async function follow(path: string, headers: Record<string, string> = {}, at = server) {
  const gone = new AbortController();
  const reply = await fetch(`http://127.0.0.1:${at.port}${path}`, {
    headers: { Cookie: cookie, ...headers },
    signal: gone.signal,
  });
  expect(reply.headers.get("content-type")).toBe("text/event-stream");
  const reader = (reply.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  const self = {
    mark: "",
    next: async (): Promise<Change> => {
      for (;;) {
        const end = waiting.indexOf("\n\n");
        const event = end < 0 ? "" : waiting.slice(0, end);
        if (end >= 0) waiting = waiting.slice(end + 2);
        const [, data] = /^data: (.*)$/m.exec(event) ?? [];
        if (data !== undefined) {
          self.mark = /^id: (.*)$/m.exec(event)?.[1] ?? "";
          return JSON.parse(data);
        }
        if (end >= 0) continue;
        const { value, done } = await reader.read();
        if (done) throw new Error("The stream has ended.");
        waiting += value;
      }
    },
    /** The change in which a task's row is. */
    until: async (task: number): Promise<Change> => {
      for (;;) {
        const change = await self.next();
        if (change.rows.some(([one]) => one === task)) return change;
      }
    },
    [Symbol.asyncDispose]: async () => {
      gone.abort();
    },
  };
  return self;
}
