// The script of a page whose contents do not change: times, scrolling, printing.
import { showLocalTimes } from "./local-times.ts";
import { unfoldForPrinting } from "./printing.ts";
import { nameScrollers } from "./scrollers.ts";

showLocalTimes();
unfoldForPrinting();
nameScrollers();
