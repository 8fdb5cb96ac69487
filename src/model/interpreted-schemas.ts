// Import this before the first schema is declared. Zod would compile a parser for each object at its first use. Most of ours are
// used a few times in a process, or what they read waits for a model anyway: without that, `run` starts its first session 12 ms
// sooner, and 3,000 tasks take as long as before.
import { config } from "zod/v4/core";

config({ jitless: true });
