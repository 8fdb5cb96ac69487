// The script of a batch's page. Updates the page in place, so that scroll position, filter, sort order, selection and
// focus stay, and shows the reader's view of the table of all tasks.
import { follow } from "./follow.ts";
import { showPage } from "./show-page.ts";

showPage();
follow();
