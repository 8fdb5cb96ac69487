// The options that would have let everything through that a task was denied.
import { expect, test } from "bun:test";
import { advisedOptions } from "../../src/model/advised-options.ts";
import type { Denial, Remedy } from "../../src/model/outcome.ts";

function denied(remedy?: Remedy): Denial {
  return { tool: "Bash", rule: "Bash(guess)", ...(remedy ? { remedy } : {}) };
}

const nothing = {
  allowedTools: [],
  addDirectories: [],
  tools: [],
  notDisallowed: [],
  broad: [],
  obstacles: [],
};

test("without a denial nothing is advised", () => {
  expect(advisedOptions([])).toEqual(nothing);
});

test("the denials of an old log have only their rule", () => {
  expect(advisedOptions([denied()])).toEqual({ ...nothing, allowedTools: ["Bash(guess)"] });
});

test("what several denials need is said once", () => {
  const one: Remedy = {
    kind: "options",
    allowedTools: ["Bash(a)", "Read"],
    addDirectories: ["/d"],
    tools: ["Edit"],
    notDisallowed: ["Write"],
    broad: "group",
  };
  const other: Remedy = { kind: "options", allowedTools: ["Bash(b)", "Read"], addDirectories: ["/e"] };
  expect(advisedOptions([denied(one), denied(one), denied(other)])).toEqual({
    allowedTools: ["Bash(a)", "Read", "Bash(b)"],
    addDirectories: ["/d", "/e"],
    tools: ["Edit"],
    notDisallowed: ["Write"],
    broad: ["group"],
    obstacles: [],
  });
});

test("a rule for a whole tool covers its others, and the reasons for them", () => {
  const advised = advisedOptions([
    denied({ kind: "options", allowedTools: ["Bash(a)"], broad: "exact" }),
    denied({ kind: "options", allowedTools: ["Bash"], broad: "unknown" }),
    denied({ kind: "options", allowedTools: ["Edit(/x)"] }),
  ]);
  expect(advised).toMatchObject({ allowedTools: ["Bash", "Edit(/x)"], broad: ["unknown"] });
});

test("reasons about one program stay as long as no rule is for all of Bash", () => {
  const advised = advisedOptions([denied({ kind: "options", allowedTools: ["Bash(a)"], broad: "exact" })]);
  expect(advised.broad).toEqual(["exact"]);
});

test("of two modes the one that allows edits is advised", () => {
  const mode = (permissionMode: "default" | "acceptEdits") => denied({ kind: "options", permissionMode });
  expect(advisedOptions([mode("default")]).permissionMode).toBe("default");
  expect(advisedOptions([mode("default"), mode("acceptEdits")]).permissionMode).toBe("acceptEdits");
  expect(advisedOptions([denied()])).not.toHaveProperty("permissionMode");
});

test("what no option lifts is named once for each obstacle", () => {
  const none = (obstacle: "hook" | "dangerous") => denied({ kind: "none", obstacle });
  expect(advisedOptions([none("hook"), none("dangerous"), none("hook")])).toEqual({
    ...nothing,
    obstacles: ["hook", "dangerous"],
  });
});
