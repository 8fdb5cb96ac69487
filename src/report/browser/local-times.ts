// Times as the reader's clock has them. A page may have been written in another zone, in a container for example.
import { timeText } from "../amounts.ts";
import { put } from "./elements.ts";

export function showLocalTimes(): void {
  for (const time of document.querySelectorAll("time")) put(time, timeText(Date.parse(time.dateTime)));
}
