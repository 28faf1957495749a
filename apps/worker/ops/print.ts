// What an operator sees: aligned columns and a little colour on a terminal, plain lines in a pipe, JSON on request.
import { stripVTControlCharacters, styleText } from 'node:util'

type Cell = string | number | null | undefined
export type Row = Record<string, Cell>

/** Columns as wide as they must be, under their names, with states in colour; a line that says so when there are no rows. */
export function table(rows: Row[], none: string): string {
  const [first] = rows
  if (!first) return none
  const columns = Object.keys(first)
  const lines = [columns, ...rows.map((row) => columns.map((column) => plainText(String(row[column] ?? '–'))))]
  const widths = columns.map((_, at) => lines.reduce((widest, line) => Math.max(widest, line[at]?.length ?? 0), 0))
  const aligned = lines.map((line) => line.map((cell, at) => paint(cell.padEnd(widths[at] ?? 0), columns[at])))
  const [titles = '', ...others] = aligned.map((line) => line.join('  ').trimEnd())
  return [dim(titles), ...others].join('\n')
}

function paint(cell: string, column: string | undefined): string {
  return column === 'state' ? cell.replace(/^\w+/, state) : cell
}

/** Foreign text as one line that moves no cursor and changes no colour. */
export function plainText(written: string): string {
  return stripVTControlCharacters(written).replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
}

const good = new Set(['done', 'up', 'going', 'ok'])
const bad = new Set(['dead', 'held', 'refused', 'down', 'wrong'])
const doubtful = new Set(['paused', 'warning'])

/** How a state looks: good, bad, doubtful or none of these. */
export function state(word: string): string {
  if (good.has(word)) return styleText('green', word)
  if (bad.has(word)) return styleText('red', word)
  return doubtful.has(word) ? styleText('yellow', word) : word
}

/** How long ago a time is, ISO 8601. */
export function since(at: string): string {
  return `${span(Math.max(0, (Date.now() - Date.parse(at)) / 1000))} ago`
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
