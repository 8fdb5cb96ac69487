// The script of a page whose contents do not change: times, scrolling, printing.
import { takeCopyButtons } from "./copy-buttons.ts";
import { showLocalTimes } from "./local-times.ts";
import { unfoldForPrinting } from "./printing.ts";
import { nameScrollers } from "./scrollers.ts";

showLocalTimes();
takeCopyButtons();
unfoldForPrinting();
nameScrollers();
