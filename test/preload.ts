// For every test file: how long a test may take before it counts as hanging, on a slow and busy machine.
import { setDefaultTimeout } from "bun:test";

setDefaultTimeout(60_000);
