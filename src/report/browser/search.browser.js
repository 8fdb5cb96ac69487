// What the search looks at beside the table: the prompts and answers of all tasks. They are in a file beside the page, which
// is loaded once somebody searches, and again as the batch goes on.
window.taskSearch = (() => {
  const { texts: source, searched } = document.documentElement.dataset;
  const texts = new Map();
  /** How much is shown before and behind what was found, in characters. */
  const before = 40;
  const behind = 110;
  // Of megabytes, the loading itself must not keep the page busy.
  const pauseMs = 2_000;
  const loadsPerPause = 10;
  let state = "none";
  let wanted = 0;
  let loaded = -1;
  let notBefore = 0;
  let isLoading = false;
  let later;

  // The file calls this for each text; of the same part, the last one counts. Marks of emphasis and code, which a
  // reader of the answer does not see, are left out here and in what is looked for.
  window.taskText = (task, part, text, wholeLength) => {
    const known = texts.get(task) ?? {};
    known[part] = { text: plain(text), isCut: wholeLength !== undefined };
    texts.set(task, known);
  };

  function plain(text) {
    return text.replace(/[*`]+/g, "");
  }

  /** What was typed, as it is looked for everywhere; nothing where nothing was typed. */
  function queryOf(typed) {
    const words = plain(typed).trim().replace(/\s+/g, " ");
    return words === "" ? undefined : new RegExp(words.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"), "i");
  }

  /** Whether it stands in what the table shows. */
  function isIn(shown, query) {
    return query.test(plain(shown));
  }

  /** The place in a text of the task, as an element to be shown. */
  function hitIn(task, query) {
    for (const part of ["prompt", "answer"]) {
      const text = texts.get(task)?.[part]?.text ?? "";
      const found = query.exec(text);
      if (!found) continue;
      const end = found.index + found[0].length;
      const from = Math.max(0, found.index - before);
      const hit = document.createElement("small");
      hit.className = "hit";
      const mark = document.createElement("mark");
      mark.textContent = found[0];
      hit.append(
        `${part === "prompt" ? "Prompt" : "Answer"}: ${from > 0 ? "…" : ""}${text.slice(from, found.index)}`,
        mark,
        `${text.slice(end, end + behind)}${text.length > end + behind ? "…" : ""}`,
      );
      return hit;
    }
    return undefined;
  }

  /** What is not searched, in words; empty where all is. */
  function reach() {
    if (state === "missing")
      return "Only what the table shows is searched: the file with the texts is not there.";
    if (state === "none") return isLoading ? "The texts are being loaded." : "";
    let cut = 0;
    for (const { prompt, answer } of texts.values()) if (prompt?.isCut || answer?.isCut) cut++;
    if (cut === 0) return "";
    const tasks = cut === 1 ? "1 task has" : `${cut.toLocaleString("en-US")} tasks have`;
    return `${tasks} long texts, of which only the beginnings are searched: ${searched} characters of each task.`;
  }

  /** So often the file has been written. */
  function announce(writings) {
    wanted = writings;
  }

  /** Loads the file unless what is there is as new, and calls back when it is there, or is not to be had. */
  function load(done) {
    const now = performance.now();
    if (isLoading || (state !== "none" && loaded === wanted)) return;
    if (now < notBefore) {
      clearTimeout(later);
      later = setTimeout(() => load(done), notBefore - now);
      return;
    }
    isLoading = true;
    const asked = wanted;
    const script = document.createElement("script");
    script.src = `${source}?${Date.now().toString(36)}`;
    const end = (found) => {
      script.remove();
      isLoading = false;
      state = found ? "loaded" : state === "loaded" ? state : "missing";
      loaded = asked;
      notBefore = performance.now() + Math.max(pauseMs, loadsPerPause * (performance.now() - now));
      done();
    };
    script.onload = () => end(texts.size > 0);
    script.onerror = () => end(false);
    document.head.append(script);
  }

  return { queryOf, isIn, hitIn, reach, announce, load };
})();
