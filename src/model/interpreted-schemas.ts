// Has zod interpret schemas instead of compiling a parser for each object at its first use. Import it before the first schema is
// declared. Most of ours are used a few times in a process, or what they read waits for a model anyway: uncompiled, `run` starts its
// first session 12 ms sooner, and 3,000 tasks take as long.
import { config } from "zod/v4/core";

config({ jitless: true });
