// The filters by which an operator chooses deliveries or effects, the same in every command:
// `--sink phabricator --project 'repos/*' --since 2h`.
import { type Command, Option } from 'commander'
import { type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import { z } from 'zod'
import { router } from '#shared/journal/entry.ts'
import type { Tables } from '#shared/journal/tables.ts'
import { wordsOf } from '#shared/journal/words.ts'
import { sinkNames } from '#sinks/registry.ts'
import { beginningWith, like } from './pattern.ts'

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

export const states = ['planned', 'done', 'nothing', 'dead', 'discarded'] as const
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
/** What is chosen; `effect` is the id of a single effect. */
export type Filters = z.output<typeof filterSchema> & { effect?: string }

/** Adds the filters to a command. */
export function withFilters(command: Command): Command {
  return command
    .addOption(new Option('--sink <name>', `one of ${performerNames.join(', ')}`))
    .option('--kind <kind>', 'the event kind, such as merge_request')
    .option('--project <path>', 'the path of a project; * stands for anything')
    .option('--mr <project!iid>', 'a merge request')
    .option('--task <task>', 'a Phabricator task, such as T123')
    .addOption(new Option('--state <state>', `how effects ended: one of ${states.join(', ')}`))
    .option('--error <id>', 'an error group')
    .option('--since <time>', 'received then or later: ISO 8601, or 90s, 10m, 2h, 3d, 1w ago')
    .option('--until <time>', 'received before')
    .option('--id <id>', 'the id of a delivery, or how ids begin')
    .option('--text <text>', 'words of the title, the user name or the project, or how they begin')
    .option('--limit <count>', 'at most so many')
}

type Builder<T extends keyof Tables> = ExpressionBuilder<Tables, T>

/** The conditions on a delivery, for a `where`. */
export function deliveryConditions(filters: Filters) {
  const { kind, project, mr, since, until, id, text } = filters
  return (eb: Builder<'deliveries'>) => {
    const conditions = []
    if (kind !== undefined) conditions.push(eb('deliveries.kind', '=', kind))
    if (project !== undefined) conditions.push(eb('deliveries.project', 'like', like(project)))
    if (mr !== undefined) conditions.push(eb('deliveries.project', '=', mr.project), eb('deliveries.iid', '=', mr.iid))
    if (since !== undefined) conditions.push(eb('deliveries.received_at', '>=', since))
    if (until !== undefined) conditions.push(eb('deliveries.received_at', '<', until))
    if (id !== undefined) conditions.push(isOrBegins(sql.ref('deliveries.id'), id))
    if (text !== undefined) conditions.push(...wordsOf(text).map(saysWord))
    return eb.and(conditions)
  }
}

/** The conditions on an effect, for a `where`. */
export function effectConditions({ sink, task, state, error, effect }: Filters) {
  return (eb: Builder<'effects'>) => {
    const conditions = []
    if (sink !== undefined) conditions.push(eb('effects.sink', '=', sink))
    if (task !== undefined) conditions.push(eb('effects.task', '=', task))
    if (state !== undefined) conditions.push(eb('effects.state', '=', state))
    if (error !== undefined) conditions.push(eb('effects.error', '=', error))
    if (effect !== undefined) conditions.push(eb('effects.id', '=', effect))
    return eb.and(conditions)
  }
}

/** The conditions on the delivery of an effect that can be told from the effect, for a `where`. */
export function causeConditions({ kind, project, since, until, id }: Filters) {
  return (eb: Builder<'effects'>) => {
    const conditions = []
    if (kind !== undefined) conditions.push(eb('effects.kind', '=', kind))
    if (project !== undefined) conditions.push(eb('effects.project', 'like', like(project)))
    if (since !== undefined) conditions.push(eb('effects.received_at', '>=', since))
    if (until !== undefined) conditions.push(eb('effects.received_at', '<', until))
    if (id !== undefined) conditions.push(isOrBegins(sql.ref('effects.delivery'), id))
    return eb.and(conditions)
  }
}

/** Whether a filter concerns what only deliveries know. */
export function concernsDeliveries({ mr, text }: Filters): boolean {
  return [mr, text].some((filter) => filter !== undefined)
}

/** Whether a filter concerns effects. */
export function concernsEffects({ sink, task, state, error }: Filters): boolean {
  return [sink, task, state, error].some((filter) => filter !== undefined)
}

// A whole id means that delivery alone, else it is how ids begin. Effects may be in the journal before their delivery is.
function isOrBegins(column: RawBuilder<unknown>, id: string) {
  const isWhole = sql`exists (select 1 from deliveries as whole where whole.id = ${id})
    or exists (select 1 from effects as its where its.delivery = ${id})`
  return sql<SqlBool>`(${column} like ${beginningWith(id)} and (${column} = ${id} or not (${isWhole})))`
}

// In the title, the user name or the project, as `wordsOf` takes them apart; a word is letters and digits, nothing else.
function saysWord(word: string) {
  const said = sql.join(['title', 'username', 'project'].map((column) => sql.ref(`deliveries.${column}`)))
  return sql<SqlBool>`lower(concat_ws(' ', ${said})) regexp ${String.raw`(^|[^\p{L}\p{N}_])${word}`}`
}
