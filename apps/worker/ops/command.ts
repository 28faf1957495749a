// How every command is run: its options are read before anything is touched, the place is opened and closed around it,
// and what it answers is printed as words or as JSON.
import type { Command } from 'commander'
import { z } from 'zod'
import { configure } from '#shared/env.ts'
import { type Filters, filterSchema } from './filters.ts'
import { openPlace, opsSchema, type Place } from './place.ts'

/** The words of a command cannot be used: exit 2, nothing changed. */
export class BadUsage extends Error {}

/** What a command answers: data for `--json`, words for people, and whether all went well (else exit 1). */
export type Said = { data: unknown; words: string; failed?: boolean }

/** The action of `command`: opens the place, lets `run` work in it, prints what it says. */
export async function act(command: Command, run: (place: Place) => Promise<Said>): Promise<void> {
  const place = await openPlace(configure(opsSchema))
  try {
    const { data, words, failed = false } = await run(place)
    console.log(command.optsWithGlobals().json === true ? JSON.stringify(data) : words)
    process.exitCode = failed ? 1 : 0
  } finally {
    await place.close()
  }
}

/** Adds `--reason` to a command that changes something. */
export function withReason(command: Command): Command {
  return command.option('--reason <text>', 'why, for the record')
}

const reasonSchema = z.object({ reason: z.string().default('') })

/** The reason given with `--reason`. */
export function reasonOf(options: unknown): string {
  return reasonSchema.parse(options).reason
}

const rateSchema = z.coerce
  .number({ error: '--rate: expected a number' })
  .min(0.1, '--rate: expected at least 0.1')
  .max(1000, '--rate: expected at most 1000')

/** The rate given with `--rate`, in things a second. Throws `BadUsage`. */
export function rateOf(option: unknown): number {
  const read = rateSchema.safeParse(option)
  if (read.success) return read.data
  throw new BadUsage(read.error.issues.map(({ message }) => message).join('\n'))
}

/** The filters among `options`. Throws `BadUsage` that names each option and what was expected. */
export function filtersOf(options: unknown): Filters {
  const read = filterSchema.safeParse(options)
  if (read.success) return read.data
  throw new BadUsage(read.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
}

/** Throws `BadUsage` unless ids or filters say what is meant. */
export function mustChoose(ids: string[], filters: Filters): void {
  const chosen = Object.keys(filters).filter((name) => name !== 'limit')
  if (ids.length === 0 && chosen.length === 0) throw new BadUsage('Name ids, or choose some with a filter.')
}
