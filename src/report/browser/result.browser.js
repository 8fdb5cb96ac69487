// A result page's own script: the button that copies the command, and neighbours that lead straight to their pages.
(() => {
  const { batch, feed, task } = document.documentElement.dataset;

  for (const button of document.querySelectorAll("button[data-copy]")) {
    const code = document.getElementById(button.dataset.copy);
    const words = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const copied = await copy(code);
      button.textContent = copied ? "Copied" : "Selected: copy it";
      setTimeout(() => {
        button.textContent = words;
      }, 2000);
    });
  }

  // What scrolls can be reached with the keyboard, and says what it is; what does not is no stop on the way.
  function nameScrollers() {
    for (const box of document.querySelectorAll("pre, .wide")) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (!scrolls) {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
        continue;
      }
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.matches("pre") ? "Text that scrolls" : "Table that scrolls");
    }
  }
  nameScrollers();
  addEventListener("resize", nameScrollers);
  document.addEventListener("toggle", nameScrollers, true);

  // On paper nothing can be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const one of folded) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });

  async function copy(element) {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      // Refused, or not there for a file: the older way, and in the worst case the text is selected.
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  }

  // Without this, the links lead to the neighbours' rows in the page of the batch.
  window.liveUpdate = (update) => {
    if (update.batch !== batch) return;
    for (const link of document.querySelectorAll("a[data-step]")) {
      const row = update.rows[Number(task) - 1 + Number(link.dataset.step)];
      const template = document.createElement("template");
      template.innerHTML = row ?? "";
      const target = template.content.querySelector("a")?.getAttribute("href");
      if (target) link.setAttribute("href", target);
    }
  };
  const script = document.createElement("script");
  script.src = `${feed}?${Date.now().toString(36)}`;
  script.onload = script.onerror = () => script.remove();
  document.head.append(script);
})();
