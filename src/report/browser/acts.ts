// Does something to the batch of the page: asks for details in a dialog, and says what was done.
import { type Act, type Acted, acts, asks, dialogId, keyHeader } from "../wire/acts.ts";
import { data, ids } from "../wire/marks.ts";
import { byId, pageFact, put } from "./elements.ts";

/** Activates all buttons that act, those that come later among them. */
export function takeActs(): void {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const act = acts.find((one) => one === button?.dataset[data.act]);
    if (!button || act === undefined) return;
    const dialog = document.getElementById(dialogId(act));
    if (dialog instanceof HTMLDialogElement) ask(dialog, filledBy(button));
    else void run(act, {}, button, say);
  });
  for (const act of acts) {
    const dialog = document.getElementById(dialogId(act));
    if (dialog instanceof HTMLDialogElement) takeDialog(act, dialog);
  }
  askFromAddress();
}

// The page of a task that failed leads here. The address is used up: who reloads the page does not want to be asked again.
function askFromAddress(): void {
  const words = [...new URLSearchParams(location.hash.slice(1))];
  const filled = words.flatMap(([name, value]) =>
    name.startsWith(asks.retry) ? [[name.slice(asks.retry.length), value] as const] : [],
  );
  const dialog = document.getElementById(dialogId("retry"));
  if (filled.length === 0 || !(dialog instanceof HTMLDialogElement)) return;
  history.replaceState(null, "", location.pathname);
  ask(dialog, Object.fromEntries(filled));
}

/** Shows the buttons of what can be done now. */
export function showActs(can: readonly Act[]): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>(`.acts > [data-${data.act}]`)) {
    const fits = can.some((act) => act === button.dataset[data.act]);
    if (button.hidden === !fits) continue;
    const hadFocus = button === document.activeElement;
    button.hidden = !fits;
    // "Pause" becomes "Continue", and the keyboard stays there.
    if (hadFocus) document.querySelector<HTMLElement>(`.acts > [data-${data.act}]:not([hidden])`)?.focus();
  }
}

function takeDialog(act: Act, dialog: HTMLDialogElement): void {
  const form = dialog.querySelector("form");
  const submit = dialog.querySelector<HTMLButtonElement>("[type=submit]");
  dialog.querySelector(".leaves")?.addEventListener("click", () => dialog.close());
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!submit || submit.disabled) return;
    void run(act, detailsIn(form), submit, (said) => {
      if ("error" in said) put(faultOf(dialog), said.error);
      else {
        dialog.close();
        say(said);
      }
    });
  });
}

/** What the fields of a dialog have at first, by their names. */
function filledBy(button: HTMLButtonElement): Record<string, unknown> {
  const filled: Record<string, unknown> = JSON.parse(button.dataset[data.fields] ?? "{}");
  return { ...filled, tasks: button.dataset[data.tasks] ?? "" };
}

function ask(dialog: HTMLDialogElement, filled: Record<string, unknown>): void {
  put(faultOf(dialog), "");
  for (const input of dialog.querySelectorAll("input")) input.value = String(filled[input.name] ?? "");
  dialog.showModal();
}

// What is empty was not given.
function detailsIn(form: HTMLFormElement): Record<string, string> {
  const details: Record<string, string> = {};
  for (const { name, value } of form.querySelectorAll("input"))
    if (value.trim() !== "") details[name] = value.trim();
  return details;
}

async function run(
  act: Act,
  details: Record<string, string>,
  button: HTMLButtonElement,
  done: (said: Acted) => void,
): Promise<void> {
  button.disabled = true;
  const said = await sent(act, details);
  button.disabled = false;
  done(said);
}

async function sent(act: Act, details: Record<string, string>): Promise<Acted> {
  try {
    const answer = await fetch(`/batches/${pageFact("batch")}/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", [keyHeader]: pageFact("key") },
      body: JSON.stringify(details),
    });
    const said: Acted = await answer.json();
    return said;
  } catch {
    return {
      error:
        "The program that serves this page did not answer as expected. Look at the page before you try again: it may have been done.",
    };
  }
}

function say(said: Acted): void {
  const acted = byId(ids.acted, HTMLElement);
  acted.className = "error" in said ? "fault" : "note";
  put(acted, "error" in said ? said.error : said.message);
}

function faultOf(dialog: HTMLDialogElement): Element | null {
  return dialog.querySelector(".fault");
}
