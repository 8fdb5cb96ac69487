// The differences between two similar texts, for people.

const contextLines = 2;

/** Removed (`-`) and added (`+`) lines, with a few lines of context. Empty if nothing differs. */
export function diffOf(before: string, after: string): string {
  if (before === after) return "";
  const [old, fresh] = [linesOf(before), linesOf(after)];
  let same = 0;
  while (same < Math.min(old.length, fresh.length) && old[same] === fresh[same]) same++;
  let tail = 0;
  while (
    tail < Math.min(old.length, fresh.length) - same &&
    old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]
  )
    tail++;
  const around = (line: string) => `  ${line}`;
  return [
    ...old.slice(Math.max(0, same - contextLines), same).map(around),
    ...changedLines(old.slice(same, old.length - tail), fresh.slice(same, fresh.length - tail)),
    ...old.slice(old.length - tail, old.length - tail + contextLines).map(around),
  ].join("\n");
}

// Few lines, because an edit touches one place: keeps the longest common ones.
function changedLines(old: readonly string[], fresh: readonly string[]): string[] {
  const longest = Array.from({ length: old.length + 1 }, () => new Array<number>(fresh.length + 1).fill(0));
  const at = (row: number, column: number) => longest[row]?.[column] ?? 0;
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = fresh.length - 1; column >= 0; column--) {
      const cells = longest[row];
      if (!cells) continue;
      cells[column] =
        old[row] === fresh[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: string[] = [];
  let [row, column] = [0, 0];
  while (row < old.length || column < fresh.length) {
    if (row < old.length && column < fresh.length && old[row] === fresh[column]) {
      lines.push(`  ${old[row]}`);
      row++;
      column++;
    } else if (row < old.length && (column >= fresh.length || at(row + 1, column) >= at(row, column + 1))) {
      lines.push(`- ${old[row++]}`);
    } else lines.push(`+ ${fresh[column++]}`);
  }
  return lines;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
}
