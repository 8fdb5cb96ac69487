// The parser of command lines.
// Bun has no call that parses a command line.
export { parseArgs } from "node:util";
