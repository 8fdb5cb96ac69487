// When functions are compiled.
import { expect, spyOn, test } from "bun:test";
import { compileSooner } from "../../src/platform/compiler.ts";

test("who asks to compile later than somebody else has asked before changes nothing", () => {
  using policy = spyOn(Bun.unsafe, "setJITPolicy").mockImplementation(() => undefined);
  compileSooner("late");
  compileSooner("usual");
  compileSooner("late");
  expect(policy.mock.calls).toEqual([[16], [1]]);
});
