// Opens files until this process may open only a few more, and prints what `lackOfRoom` then says about a directory.
import { openSync } from "node:fs";
import { lackOfRoom } from "../../src/engine/scheduler/disk-space.ts";
import { spareDescriptors } from "../../src/platform/descriptors.ts";

const [directory = "", left = ""] = process.argv.slice(2);
while (spareDescriptors() > Number(left)) openSync("/dev/null", "r");
console.log(lackOfRoom(directory, 0) ?? "");
