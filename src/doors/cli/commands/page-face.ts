// The page of what a command otherwise prints: `--page FILE` and `--open`.
import type { z } from "zod";
import type { Operation } from "../../../operations/operation.ts";
import type { pageOutput } from "../../../operations/page-file.ts";
import { commandOf, type Invocation } from "../input/command.ts";

/** Whether a command is asked for its page. */
export function isPageAsked({ own: { page, open } }: Invocation): boolean {
  return page !== undefined || open === true;
}

/** The page of a command as a command of its own, which prints where the page is. */
export function pageFaceOf(name: string, operation: Operation<z.ZodType, typeof pageOutput>) {
  const face = commandOf(operation, {
    name,
    examples: [],
    isWrapped: true,
    present: ({ page }) => page,
    beside: ({ failure }) => (failure === undefined ? undefined : `The page was not opened: ${failure}.`),
  });
  return {
    /** Whether its options are there. */
    isAsked: isPageAsked,
    run: (asked: Invocation) => {
      const { page, open } = asked.own;
      const given = { ...(page === undefined ? {} : { page }), open: open === true };
      return face.run({ ...asked, input: { ...asked.input, ...given } });
    },
  };
}
