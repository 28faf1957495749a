// How every command is run: its options are read before anything is touched, the context is opened and closed around it,
// and what it answers is printed as words or as JSON.
import type { Command } from 'commander'
import { z } from 'zod'
import type { Filters } from '#shared/journal/search/filters.ts'
import { configure } from '#shared/process/env.ts'
import { sinkSecrets } from '#sinks/settings.ts'
import { noDeadLetters, type Selection } from './actions/selection.ts'
import { meaningOfAway } from './away.ts'
import { type OpsContext, openContext, openUncheckedContext, opsSchema } from './context.ts'
import { filterSchema } from './filters.ts'
import { BadUsage } from './usage.ts'
import { output, outputJson, type Words, warn } from './words.ts'

/**
 * What a command answers: data for `--json` (undefined: all has been said already), words for people, and whether it failed (exit
 * 1, or what `exitCode` says).
 */
export type Said = { data: unknown; words: Words; failed?: boolean; exitCode?: number }

type Run = (context: OpsContext) => Promise<Said>

/** The action of `command`: opens the context, lets `run` work in it, prints what it says. */
export function act(command: Command, run: Run): Promise<void> {
  return actIn(openContext, command, run)
}

/** The same for a command that can do something while Redis or the database is away. */
export function lookAround(command: Command, run: Run): Promise<void> {
  return actIn(openUncheckedContext, command, run)
}

async function actIn(open: typeof openContext, command: Command, run: Run): Promise<void> {
  const config = configure(opsSchema, sinkSecrets)
  const context = await open(config).catch((error: unknown) => {
    throw meaningOfAway(error, config)
  })
  try {
    const { data, words, failed = false, exitCode = failed ? 1 : 0 } = await run(context)
    if (data === null && failed) warn(words)
    if (data !== undefined && isJson(command)) outputJson(data)
    else if (data !== undefined && data !== null) output(words)
    process.exitCode = exitCode
  } catch (error) {
    throw meaningOfAway(error, config)
  } finally {
    await context.close()
  }
}

export function isJson(command: Command): boolean {
  return command.optsWithGlobals().json === true
}

/** Aborts when the operator types Ctrl-C, or the command is asked to end. */
export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  return interrupted.signal
}

const rateForm = '--rate: expected a number from 0.1 to 1000, in effects a second'
const rateSchema = z
  .string({ error: rateForm })
  .regex(/^\d+(\.\d+)?$/, rateForm)
  .transform(Number)
  .refine((rate) => rate >= 0.1 && rate <= 1000, rateForm)

/** The rate given with `--rate`, in things a second. Throws `BadUsage`. */
export function rateOf(option: unknown): number {
  return readOr(rateSchema, option, ({ message }) => message)
}

/** The filters among `options`. Throws `BadUsage` that names each option and what was expected. */
export function filtersOf(options: unknown): Filters {
  return readOr(filterSchema, options, ({ path, message }) => `--${path.join('.')}: ${message}`)
}

const groupSchema = z.object({ group: filterSchema.shape.error })

/** The error group given with `--group`. Throws `BadUsage`. */
export function groupOf(options: unknown): string | undefined {
  return readOr(groupSchema, options, ({ message }) => `--group: ${message}`).group
}

const typedSchema = z.object(Object.fromEntries(Object.keys(filterSchema.shape).map((name) => [name, z.string().optional()])))

/** The dead letters that are meant: those with the ids, or those that the filters choose. Throws `BadUsage`. */
export function selectionOf(ids: string[], options: unknown): Selection {
  const filters = filtersOf(options)
  mustChoose(ids, filters)
  const fault = noDeadLetters(filters)
  if (fault !== undefined) throw new BadUsage(`--state: ${fault}`)
  if (ids.length > 0) return { ids: [...new Set(ids)] }
  const typed = Object.entries(typedSchema.parse(options)).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))
  return { filters: Object.fromEntries(typed) }
}

/** Throws `BadUsage` unless either ids or filters say what is meant. */
export function mustChoose(ids: string[], filters: Filters): void {
  const chosen = Object.entries(filters).filter(([, value]) => value !== undefined)
  if (ids.includes('')) throw new BadUsage('An id is empty.')
  if (ids.length > 0 && chosen.length > 0) throw new BadUsage('Name ids, or choose with filters, but not both.')
  if (ids.length === 0 && chosen.every(([name]) => name === 'limit')) throw new BadUsage('Name ids, or choose some with a filter.')
}

function readOr<S extends z.ZodType>(schema: S, value: unknown, say: (issue: z.core.$ZodIssue) => string): z.output<S> {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw new BadUsage(read.error.issues.map(say).join('\n'))
}
