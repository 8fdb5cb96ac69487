// `open`: shows the page of a batch in the browser.
import { openPage } from "../../../operations/open-page.ts";
import { batchOrLatest, commandOf } from "../input/command.ts";

export const open = commandOf(openPage, {
  name: "open",
  otherNames: ["page", "report", "browse", "view"],
  examples: [
    ["open latest", "Open the page of the newest batch"],
    ["open b4k2 --print", "Print the path of the page"],
  ],
  positionals: [batchOrLatest],
  isWrapped: true,
  present: ({ reportFile }) => reportFile,
  beside: ({ failure }) => (failure === undefined ? undefined : `The page was not opened: ${failure}.`),
});
