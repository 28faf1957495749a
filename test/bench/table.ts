// How the benchmarks show what they found: the machine they ran on, and an aligned table. Figures without the machine
// say nothing, and only those of one run can be compared.
import { cpus } from 'node:os'
import type { Redis } from 'ioredis'

/** One line that names this machine and the versions that matter. */
export async function machine(redis: Redis): Promise<string> {
  const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown'
  return `${computer()}, Redis ${version}`
}

/** What `machine` says, but for Redis. */
export function computer(): string {
  const processors = cpus()
  return `${processors[0]?.model.trim() ?? 'unknown processor'}, ${processors.length} cores, Node.js ${process.versions.node}`
}

/** The rows under their titles, numbers to the right. */
export function table(titles: string[], rows: string[][]): string {
  const widths = titles.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const isNumber = titles.map((_, column) => rows.every((row) => /^[\d.,–-]*$/.test(row[column] ?? '')))
  const line = (cells: string[]) =>
    cells
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [titles, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n')
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** The smallest of `values` that `percent` percent of them do not exceed. */
export function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN
}
