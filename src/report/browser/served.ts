// The script of a batch's page as `ui` serves it: the same as that of the file, but it hears of changes, and can act.
import type { ServedChange } from "../wire/feed.ts";
import { showActs, takeActs } from "./acts.ts";
import { pageFact } from "./elements.ts";
import { hear } from "./events.ts";
import { showPage } from "./show-page.ts";
import { takeChange } from "./take-change.ts";

let isRunning = pageFact("running") === "yes";

showPage();
takeActs();
hear<ServedChange>((change) => {
  takeChange(change, isRunning);
  showActs(change.can);
  isRunning = change.running;
});
