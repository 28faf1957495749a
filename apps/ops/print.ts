// What an operator sees: aligned columns and a little colour on a terminal, plain lines in a pipe, JSON on request.
import { joined, lines, type Piece, padded, styled, type Words, widthOf, words } from './words.ts'

type Cell = Piece | null | undefined
export type Row = Record<string, Cell>

/** Columns as wide as they must be, under their names, with states in colour; a line that says so when there are no rows. */
export function table(rows: Row[], none: string): Words {
  const [first] = rows
  if (!first) return words`${none}`
  const columns = Object.keys(first)
  const cells: Piece[][] = rows.map((row) => columns.map((column) => cellOf(row[column] ?? '–', column)))
  const widths = columns.map((name, at) => cells.reduce((widest, row) => Math.max(widest, widthOf(row[at] ?? '')), name.length))
  const aligned = [columns, ...cells].map((row) => {
    const last = row.findLastIndex((cell) => cell !== '')
    const shown = row.slice(0, last + 1).map((cell, at) => (at === last ? cell : padded(cell, widths[at] ?? 0)))
    return joined(shown, '  ')
  })
  return lines(aligned.map((row, at) => (at === 0 ? dim(row) : row)))
}

function cellOf(cell: Piece, column: string): Piece {
  return column === 'state' && typeof cell === 'string' ? state(cell) : cell
}

// What a state that is stored, or stands in the JSON, is called.
const called: Record<string, string> = { going: 'running', held: 'on hold', planned: 'waiting' }

/** The word for a state. */
export function calledState(state: string): string {
  return called[state] ?? state
}

const good = new Set(['done', 'up', 'running', 'ok'])
const bad = new Set(['dead', 'on hold', 'refused', 'down', 'wrong', 'lost', 'silent'])
const doubtful = new Set(['paused', 'warning'])

/** How a state looks: good, bad, doubtful or none of these. */
export function state(stored: string): Words {
  const word = calledState(stored)
  if (good.has(word)) return styled('green', word)
  if (bad.has(word)) return styled('red', word)
  return doubtful.has(word) ? styled('yellow', word) : words`${word}`
}

/** How long ago a time is, ISO 8601. */
export function since(at: string): string {
  return `${span(Math.max(0, (Date.now() - Date.parse(at)) / 1000))} ago`
}

/** When a queue on hold asks its remote again, which is the time `until`, ISO 8601. */
export function asksAgain(until: string): string {
  const seconds = Math.ceil((Date.parse(until) - Date.now()) / 1000)
  return seconds > 0 ? `asks again in ${seconds} s` : 'asks again now'
}

export function dim(piece: Piece): Words {
  return styled('dim', piece)
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
