// Times in the reader's time zone. A page may have been written in another one, for example in a container.
import { timeText } from "../amounts.ts";
import { put } from "./elements.ts";

export function showLocalTimes(): void {
  for (const time of document.querySelectorAll("time")) put(time, timeText(Date.parse(time.dateTime)));
}
