// What an operator sees: aligned columns and a little colour on a terminal, plain lines in a pipe, JSON on request.
import { styleText } from 'node:util'

type Cell = string | number | null | undefined
export type Row = Record<string, Cell>

/** Columns as wide as they must be, under their names; a line that says so when there are no rows. */
export function table(rows: Row[], none: string): string {
  const [first] = rows
  if (!first) return none
  const columns = Object.keys(first)
  const lines = [columns, ...rows.map((row) => columns.map((column) => text(row[column])))]
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  const aligned = lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [dim(aligned[0] ?? ''), ...aligned.slice(1)].join('\n')
}

function text(cell: Cell): string {
  return String(cell ?? '–').replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
}

/** How a state looks: good, bad, or neither. */
export function state(word: string): string {
  if (word === 'done') return styleText('green', word)
  if (word === 'dead' || word === 'held' || word === 'refused') return styleText('red', word)
  return word
}

export function dim(line: string): string {
  return styleText('dim', line)
}

/** How long ago or for how long, in the largest whole unit. */
export function span(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const)
    if (seconds >= 2 * size) return `${Math.floor(seconds / size)}${unit}`
  return `${Math.round(seconds)}s`
}
