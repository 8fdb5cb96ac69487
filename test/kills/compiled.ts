// The same program as `program.ts`, for `compile.ts`, which puts what waits and is killed in the place of what it imports.
import "./in-store.ts";

await import("../../src/main.ts");
