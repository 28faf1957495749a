// The filters by which an operator chooses deliveries or effects, the same in every command:
// `--sink phabricator --project 'repos/*' --since 2h`.
import { z } from 'zod'
import { router } from '#shared/journal/entry.ts'
import { states } from '#shared/journal/search/filters.ts'
import { wordsOf } from '#shared/journal/words.ts'
import { sinkNames } from '#sinks/registry.ts'

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

const day = z.iso.date()
const dayTime = z.iso.datetime({ offset: true, local: true })

// A time without an offset is UTC.
const moment = z.string().transform((text, context) => {
  const [, count, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? []
  if (count !== undefined) return new Date(Date.now() - Number(count) * (units[unit] ?? 0))
  if (day.safeParse(text).success) return new Date(text)
  if (dayTime.safeParse(text).success) return new Date(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`)
  context.addIssue({ code: 'custom', message: 'expected ISO 8601 (2026-11-23T10:00Z) or how long ago (90s, 10m, 2h, 3d, 1w)' })
  return z.NEVER
})

// What is empty, as a variable of a script may be, must not mean everything.
const something = z.string().refine((text) => text.trim() !== '', 'expected something, but it is empty')

const mergeRequest = z
  .string()
  .regex(/^[^!]+!\d{1,9}$/, 'expected <project path>!<number>, such as repos/releng/tool!12')
  .transform((text) => ({ project: text.split('!')[0] ?? '', iid: Number(text.split('!')[1]) }))

/** Whose effects there are: the sinks', and the router's where it could do nothing with a delivery. */
export const performerNames = [...sinkNames, router] as const
const oneOf = <const T extends readonly string[]>(names: T) => z.enum(names, { error: `expected one of ${names.join(', ')}` })

export const filterSchema = z.object({
  sink: oneOf(performerNames).optional(),
  kind: something.optional(),
  project: something.optional(),
  mr: mergeRequest.optional(),
  task: z
    .string()
    .regex(/^T?\d{1,9}$/, 'expected a task, such as T123')
    .transform((text) => Number(text.replace('T', '')))
    .optional(),
  state: oneOf(states).optional(),
  error: z
    .string()
    .regex(/^[0-9a-f]{12}$/, 'expected the id of an error group, as `dead groups` shows it')
    .optional(),
  since: moment.optional(),
  until: moment.optional(),
  id: something.optional(),
  text: z
    .string()
    .refine((text) => wordsOf(text).length > 0, 'expected words, of letters or digits')
    .optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'expected a whole number from 1')
    .transform(Number)
    .optional(),
})
