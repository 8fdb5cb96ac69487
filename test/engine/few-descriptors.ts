// Opens files until this process may open only a few more, and prints what `SystemResources` then says about a directory.
import { openSync } from "node:fs";
import { SystemResources } from "../../src/engine/scheduler/system-resources.ts";
import { spareDescriptors } from "../../src/platform/descriptors.ts";

const [directory = "", left = ""] = process.argv.slice(2);
while (spareDescriptors() > Number(left)) openSync("/dev/null", "r");
console.log(new SystemResources(directory).lack(0) ?? "");
