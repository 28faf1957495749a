// The filters as conditions of a `where`.
import { type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely'
import type { Tables } from '#shared/journal/tables.ts'
import { wordsOf } from '#shared/journal/words.ts'
import type { Filters } from './filters.ts'
import { beginningWith, like } from './like.ts'

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
