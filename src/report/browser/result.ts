// The script of a result page: scrolling, printing, copying, and links to neighbours.
import { addCopyButtons, takeCopyButtons } from "./copy-buttons.ts";
import { showLocalTimes } from "./local-times.ts";
import { findNeighbours } from "./neighbours.ts";
import { unfoldForPrinting } from "./printing.ts";
import { nameScrollers } from "./scrollers.ts";

showLocalTimes();
takeCopyButtons();
addCopyButtons();
nameScrollers();
unfoldForPrinting();
findNeighbours();
