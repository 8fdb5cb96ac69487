// Bun has no parser of command lines of its own.
export { parseArgs } from "node:util";
