// What a process that imports this starts are processes of the program, and not of a test: compiled ones, if `bun run test` has
// compiled it.
import { join } from "node:path";

const executable = process.env["TEST_EXECUTABLE"];

// As the program itself finds out how it was started.
Object.assign(Bun, { main: executable ? "/$bunfs/root/main" : join(import.meta.dir, "../../src/main.ts") });
if (executable) Object.assign(process, { execPath: executable });
