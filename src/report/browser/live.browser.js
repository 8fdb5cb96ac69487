// The live page's own script. It loads the page's companion file again and again, and changes what is different in
// place, so that the reader keeps place, filter, sort, selection and focus. A page from the file system may fetch
// nothing; a script beside it, it may load.
(() => {
  const { batch, feed } = document.documentElement.dataset;
  const everyMs = 700;
  // After the end, only somebody's retry changes anything.
  const endedEveryMs = 10_000;
  const silentMs = 20_000;
  const table = document.getElementById("task-table");
  const body = table.tBodies[0];
  const lanes = () => document.getElementById("lanes");
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  // What the reader has chosen. It is kept in the address, so that "back" and a bookmark bring it back.
  const chosen = { q: "", show: "", sort: "task", down: "" };
  const classesOf = {
    running: ["run"],
    queued: ["wait"],
    failed: ["bad"],
    succeeded: ["ok", "warn"],
    denied: ["warn"],
    cancelled: ["off"],
  };

  const rows = new Map();
  for (const row of body.rows) rows.set(Number(row.id.slice(1)), { row, html: undefined });
  const parts = new Map();
  let running = document.documentElement.dataset.running === "yes";
  let misses = 0;

  // ---- What the reader sees of the table

  function applyChoice() {
    const query = window.taskSearch.queryOf(chosen.q);
    const wanted = classesOf[chosen.show];
    let shown = 0;
    for (const [task, { row }] of rows) {
      row.querySelector(".hit")?.remove();
      const isWanted = !wanted || wanted.includes(row.className);
      const isSeen = !query || window.taskSearch.isIn(row.textContent, query);
      const hit = isWanted && !isSeen ? window.taskSearch.hitIn(task, query) : undefined;
      if (hit) row.cells[1].append(hit);
      const fits = isWanted && (isSeen || hit !== undefined);
      if (row.hidden === fits) row.hidden = !fits;
      if (fits) shown++;
    }
    put(document.getElementById("reach"), query ? window.taskSearch.reach() : "");
    document.getElementById("reach").hidden = !query || window.taskSearch.reach() === "";
    put(
      document.getElementById("shown"),
      shown === rows.size ? "" : `${number(shown)} of ${number(rows.size)}`,
    );
    document.getElementById("nothing").hidden = shown > 0;
    for (const chip of document.querySelectorAll("[data-show]")) {
      chip.setAttribute("aria-pressed", String(chip.dataset.show === chosen.show));
      const members = classesOf[chip.dataset.show];
      const count = members
        ? members.reduce((sum, name) => sum + body.getElementsByClassName(name).length, 0)
        : rows.size;
      put(chip.lastElementChild, number(count));
      chip.hidden = members !== undefined && count === 0 && chip.dataset.show !== chosen.show;
    }
  }

  const keyOf = {
    task: (row) => Number(row.id.slice(1)),
    prompt: (row) => labelOf(row),
    status: (row) => row.cells[2].textContent,
    duration: (row) => Number(row.dataset.d ?? -1),
    cost: (row) => Number(row.dataset.c ?? -1),
  };

  // Without the place that the search has found.
  function labelOf(row) {
    return row.cells[1].firstChild?.textContent ?? "";
  }

  function applyOrder() {
    const key = keyOf[chosen.sort] ?? keyOf.task;
    const turn = chosen.down ? -1 : 1;
    const keyed = [...rows].map(([task, { row }]) => ({ task, row, key: key(row) }));
    keyed.sort((a, b) => {
      const by = typeof a.key === "number" ? a.key - b.key : collator.compare(a.key, b.key);
      return by * turn || a.task - b.task;
    });
    const focus = document.activeElement;
    let at = body.firstElementChild;
    for (const { row } of keyed) {
      if (row === at) at = at.nextElementSibling;
      else body.insertBefore(row, at);
    }
    refocus(focus);
    for (const head of table.tHead.rows[0].cells) {
      const isKey = head.dataset.sort === chosen.sort;
      if (isKey) head.setAttribute("aria-sort", chosen.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    const select = document.getElementById("order");
    select.value = `${chosen.sort}${chosen.down ? " down" : ""}`;
    if (select.selectedIndex < 0) select.value = chosen.sort;
  }

  // What moves in a document loses the focus.
  function refocus(element) {
    if (element && element !== document.activeElement && element.isConnected)
      element.focus({ preventScroll: true });
  }

  function remember() {
    const words = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
    if (chosen.sort === "task") words.delete("sort");
    try {
      history.replaceState(null, "", `#${words}`);
    } catch {
      // A browser may refuse this to a file. Then the choice lasts as long as the page does.
    }
  }

  function recall() {
    // "#t12" is a place in the page, and not a choice.
    if (!location.hash.includes("=")) return;
    const words = new URLSearchParams(location.hash.slice(1));
    for (const name of Object.keys(chosen)) chosen[name] = words.get(name) ?? "";
    if (!Object.hasOwn(keyOf, chosen.sort)) chosen.sort = "task";
    if (!Object.hasOwn(classesOf, chosen.show)) chosen.show = "";
    document.getElementById("search").value = chosen.q;
  }

  // A link may lead to a row that the choice hides: then all are shown.
  function reveal(row) {
    if (row?.hidden) {
      Object.assign(chosen, { q: "", show: "" });
      document.getElementById("search").value = "";
      applyChoice();
    }
    row?.scrollIntoView({ block: "center" });
  }

  function choose(change, isOrder) {
    Object.assign(chosen, change);
    remember();
    if (isOrder) applyOrder();
    else {
      applyChoice();
      lookForTexts();
    }
    const order = isOrder ? `Sorted by ${chosen.sort}${chosen.down ? ", descending" : ""}. ` : "";
    const shown = document.getElementById("shown").textContent;
    say(`${order}${shown ? `${shown} tasks shown.` : "All tasks shown."}`);
  }

  function lookForTexts() {
    if (chosen.q.trim() !== "") window.taskSearch.load(taken);
  }

  // Texts have come, or cannot come.
  function taken() {
    if (chosen.q.trim() !== "") choose({});
  }

  function takeControls() {
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.dataset.sort = button.textContent.toLowerCase();
      button.addEventListener("click", () => {
        const again = chosen.sort === head.dataset.sort;
        // Of times and costs, the greatest are what one looks for.
        const downFirst = ["duration", "cost"].includes(head.dataset.sort);
        choose({ sort: head.dataset.sort, down: (again ? !chosen.down : downFirst) ? "1" : "" }, true);
      });
    }
    for (const chip of document.querySelectorAll("[data-show]"))
      chip.addEventListener("click", () => choose({ show: chip.dataset.show }));
    const search = document.getElementById("search");
    search.addEventListener("input", () => choose({ q: search.value }));
    // The first word is not typed yet when the texts are on their way.
    search.addEventListener("focus", () => window.taskSearch.load(taken));
    const order = document.getElementById("order");
    order.addEventListener("change", () => {
      const [sort, down = ""] = order.value.split(" ");
      choose({ sort, down: down && "1" }, true);
    });
    document.getElementById("tools").hidden = false;
  }

  // ---- The timeline: one stop for the keyboard, and arrows inside it

  let cursor;

  function takeTimeline() {
    // There from the beginning: the timeline comes with the first session.
    const box = document.getElementById("part-timeline");
    box.addEventListener("pointermove", (event) => {
      if (lanes()?.contains(event.target)) show(sessionAt(event.clientX, event.clientY));
    });
    box.addEventListener("pointerleave", () => {
      if (document.activeElement !== lanes()) show(undefined);
    });
    box.addEventListener("click", (event) => {
      if (!lanes()?.contains(event.target)) return;
      show(sessionAt(event.clientX, event.clientY));
      if (cursor) go(cursor);
    });
    box.addEventListener("focusin", (event) => {
      if (event.target === lanes()) show(cursor ?? sessions()[0]);
    });
    box.addEventListener("keydown", (event) => {
      if (event.target !== lanes()) return;
      const all = sessions();
      const at = cursor
        ? all.findIndex(({ task, from }) => task === cursor.task && from === cursor.from)
        : -1;
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (event.key === "Enter" && cursor) go(cursor);
      if (event.key === "Escape") show(undefined);
      if (to === undefined) return;
      event.preventDefault();
      show(all[Math.max(0, Math.min(all.length - 1, to))]);
    });
    upgradeTimeline();
  }

  function upgradeTimeline() {
    const box = lanes();
    if (!box || box.tabIndex === 0) return;
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-roledescription", "timeline");
  }

  // The bars are told in the rows: slot, begin and length of each, in milliseconds since the batch began.
  function sessions() {
    const all = [];
    for (const [task, { row }] of rows) {
      for (const bar of (row.dataset.b ?? "").split(";")) {
        if (bar === "") continue;
        const [slot, from, length] = bar.split(":");
        const lasted = length === "" ? Number(lanes().dataset.span) - Number(from) : Number(length);
        all.push({ task, row, slot: Number(slot), from: Number(from), lasted, runs: length === "" });
      }
    }
    return all.sort((a, b) => a.from - b.from || a.task - b.task);
  }

  function sessionAt(x, y) {
    const box = lanes().getElementsByClassName("bars")[0].getBoundingClientRect();
    const { span, count } = lanes().dataset;
    const slot = Math.floor(((y - box.top) / box.height) * Number(count));
    const ms = ((x - box.left) / box.width) * Number(span);
    // A bar may be narrower than a pixel: within three of them, the nearest one is meant.
    const near = (3 / box.width) * Number(span);
    let best;
    for (const one of sessions()) {
      const away = Math.max(one.from - ms, ms - one.from - one.lasted, 0);
      if (one.slot === slot && away <= near && (!best || away < best.away)) best = { ...one, away };
    }
    return best;
  }

  function show(session) {
    cursor = session;
    const readout = document.getElementById("readout");
    const mark = document.getElementById("mark");
    mark.hidden = !session;
    if (!session) {
      // Nothing was shown yet: what stands there is the summary.
      if (readout.dataset.rest !== undefined) put(readout, readout.dataset.rest);
      return;
    }
    readout.dataset.rest ??= readout.textContent;
    const { row, task, slot, from, lasted, runs } = session;
    put(
      readout,
      `Task ${task} · ${row.cells[2].textContent} · ${span(lasted)}${runs ? " so far" : ""}, from ${span(from)} on, in slot ${slot + 1} · ${labelOf(row)}`,
    );
    const { span: whole, count } = lanes().dataset;
    const bars = lanes().getElementsByClassName("bars")[0];
    const height = bars.getBoundingClientRect().height / Number(count);
    mark.style.left = `${(from / Number(whole)) * 100}%`;
    mark.style.width = `max(3px, ${(lasted / Number(whole)) * 100}%)`;
    mark.style.top = `${slot * height}px`;
    mark.style.height = `${height}px`;
  }

  function go({ row }) {
    const link = row.querySelector("a");
    if (link) location.href = link.href;
    else reveal(row);
  }

  // ---- What is new

  // The reader's own: no update takes it away.
  const kept = new Set(["role", "open", "hidden", "aria-pressed", "tabindex", "aria-roledescription"]);

  function morph(now, next) {
    if (now.isEqualNode(next)) return;
    if (now.nodeType !== next.nodeType || now.nodeName !== next.nodeName || now.id !== next.id) {
      now.replaceWith(next);
      return;
    }
    if (now.nodeType !== Node.ELEMENT_NODE) {
      if (now.data !== next.data) now.data = next.data;
      return;
    }
    for (const { name } of [...now.attributes])
      if (!kept.has(name) && !next.hasAttribute(name)) now.removeAttribute(name);
    for (const { name, value } of next.attributes)
      if (!kept.has(name) && now.getAttribute(name) !== value) now.setAttribute(name, value);
    morphChildren(now, next);
  }

  function morphChildren(now, next) {
    const named = new Map();
    for (const child of now.children) if (child.id) named.set(child.id, child);
    let at = now.firstChild;
    for (const child of [...next.childNodes]) {
      const same = child.id && named.get(child.id);
      if (same && same !== at) {
        now.insertBefore(same, at);
        at = same;
      }
      if (!at || (child.id && !same)) {
        now.insertBefore(child, at);
        continue;
      }
      const following = at.nextSibling;
      morph(at, child);
      at = following;
    }
    while (at) {
      const following = at.nextSibling;
      at.remove();
      at = following;
    }
  }

  function fragment(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  }

  function take(update) {
    const focus = document.activeElement;
    for (const [name, html] of Object.entries(update.parts)) {
      const part = document.getElementById(`part-${name}`);
      if (!part || parts.get(name) === html) continue;
      parts.set(name, html);
      morphChildren(part, fragment(html));
    }
    const changed = update.rows.flatMap((html, index) =>
      rows.get(index + 1)?.html === html ? [] : [[index + 1, html]],
    );
    const fresh = [...fragment(changed.map(([, html]) => html).join("")).children];
    for (const [index, [task, html]] of changed.entries()) {
      const known = rows.get(task);
      if (!known) continue;
      morph(known.row, fresh[index]);
      known.row = document.getElementById(`t${task}`) ?? known.row;
      known.html = html;
    }
    if (changed.length > 0) {
      if (chosen.sort !== "task" || chosen.down) applyOrder();
      applyChoice();
    }
    upgradeTimeline();
    if (cursor) show(sessions().find(({ task, from }) => task === cursor.task && from === cursor.from));
    window.localTimes();
    if (document.title !== update.title) document.title = update.title;
    refocus(focus?.isConnected ? focus : focus?.id ? document.getElementById(focus.id) : undefined);
    tell(update);
    window.taskSearch.announce(update.texts);
    lookForTexts();
    running = update.running;
  }

  // Few words for a screen reader: the end, a hold, new failures; these not more than four times a minute.
  let told = { hold: "", failed: undefined, at: 0 };

  function tell({ running: runs, held, hold, failed, words }) {
    if (told.failed === undefined) told.failed = failed;
    const now = Date.now();
    if (runs !== running) say(words);
    else if (hold !== told.hold) say(held || "The hold is over.");
    else if (failed > told.failed && now - told.at > 15_000) {
      say(`${number(failed - told.failed)} more failed. ${words}`);
      told = { ...told, failed, at: now };
    }
    told.hold = hold;
  }

  function say(words) {
    put(document.getElementById("said"), words);
  }

  // The companion calls this. It may be of a batch that has been written over ours.
  window.liveUpdate = (update) => {
    if (update.batch !== batch) return;
    misses = 0;
    take(update);
  };

  let loading = false;
  // What a page that was opened after the end shows is as new as its companion.
  let loadedAt = running ? Number.NEGATIVE_INFINITY : performance.now();

  function load() {
    const age = performance.now() - loadedAt;
    if (loading || document.hidden || (!running && age < endedEveryMs)) return;
    loading = true;
    loadedAt = performance.now();
    const script = document.createElement("script");
    script.src = `${feed}?${Date.now().toString(36)}`;
    script.onload = () => {
      loading = false;
      script.remove();
      lookAtClock();
    };
    script.onerror = () => {
      loading = false;
      script.remove();
      // A browser that does not let us load it is given the whole page again, now and then; not after the end, where a
      // page may lie alone and nothing is missed.
      if (running && ++misses % 8 === 0) location.reload();
    };
    document.head.append(script);
  }

  function lookAtClock() {
    const updatedMs =
      Date.now() - Number(document.getElementById("part-footer").firstElementChild?.dataset.at);
    document.getElementById("silence").hidden = !running || !(updatedMs > silentMs);
  }

  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function number(value) {
    return value.toLocaleString("en-US");
  }

  // As the rows of the table have it (`durationText`).
  function span(ms) {
    const seconds = Math.max(0, ms) / 1000;
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    const two = (value) => String(value).padStart(2, "0");
    const rounded = Math.round(seconds);
    if (rounded < 60) return `${rounded} s`;
    if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${two(rounded % 60)} s`;
    const minutes = Math.round(seconds / 60);
    return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  }

  takeControls();
  recall();
  if (chosen.sort !== "task" || chosen.down) applyOrder();
  applyChoice();
  lookForTexts();
  takeTimeline();
  window.addEventListener("hashchange", () => {
    recall();
    applyOrder();
    applyChoice();
    lookForTexts();
    reveal(rows.get(Number(/^#t(\d+)$/.exec(location.hash)?.[1]))?.row);
  });
  document.addEventListener("visibilitychange", load);
  setInterval(load, everyMs);
  // Painted first: a page of thousands of tasks has enough to do until then.
  requestAnimationFrame(() => setTimeout(load, 100));
})();
