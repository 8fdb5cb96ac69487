// The program from its source, whose processes kill themselves at points that a test names.
import { mock } from "bun:test";
import "./in-store.ts";
import * as privateFiles from "./private-files.ts";
import * as wholeFiles from "./whole-files.ts";

// As `compile.ts` puts them there when it compiles it.
mock.module("../../src/platform/whole-files.ts", () => ({ ...wholeFiles }));
mock.module("../../src/platform/private-files.ts", () => ({ ...privateFiles }));

await import("../../src/main.ts");
