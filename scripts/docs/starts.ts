// The table of what each start of the program loads.
import { starts } from "../starts.ts";

export const startTable = [
  "| start | loads of `src/` | packages |",
  "| --- | --- | --- |",
  ...Object.values(starts).map(
    ({ name, loads, packages }) =>
      `| ${name} | ${loads.map((part) => `\`${part}\``).join(", ")} | ${packages.map((one) => `\`${one}\``).join(", ")} |`,
  ),
];
