// A program in C that says whether the compiler of macOS lays out Apple's structures as we read them.
import {
  constantHeaders,
  constants,
  type Field,
  type Structure,
  structures,
} from "../../src/platform/processes/macos-structures.ts";

const widthOf: Record<Field["type"], number> = { i8: 1, i32: 4, u32: 4, i64: 8, u64: 8 };

/**
 * Its source. It prints a line for each fact: `ok NAME`, `no NAME is 5 instead of 4`, or `?? NAME` for a constant that the
 * headers keep from programs; and ends with 1 if any is wrong.
 */
export function layoutProgram(): string {
  const headers = new Set([...structures.map(({ header }) => header), ...constantHeaders]);
  return [
    ...[...headers].map((header) => `#include <${header}>`),
    "#include <stddef.h>",
    "#include <stdio.h>",
    "static int wrong;",
    "static void fact(const char *name, long long is, long long expected) {",
    '  if (is == expected) printf("ok %s\\n", name);',
    '  else wrong = 1, printf("no %s is %lld instead of %lld\\n", name, is, expected);',
    "}",
    "int main(void) {",
    ...structures.flatMap(factsOf),
    ...Object.entries(constants).flatMap(([name, value]) => [
      `#ifdef ${name}`,
      `  fact("${name}", ${name}, ${value});`,
      "#else",
      `  printf("?? ${name}\\n");`,
      "#endif",
    ]),
    "  return wrong;",
    "}",
    "",
  ].join("\n");
}

function factsOf({ name, bytes, fields }: Structure): string[] {
  return [
    `  fact("sizeof(${name})", sizeof(${name}), ${bytes});`,
    ...Object.entries(fields).flatMap(([path, { at, type }]) => [
      `  fact("offset of ${path}", offsetof(${name}, ${path}), ${at});`,
      `  fact("size of ${path}", sizeof(((${name} *)0)->${path}), ${widthOf[type]});`,
    ]),
  ];
}
