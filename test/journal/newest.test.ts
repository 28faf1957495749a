// Whatever the filters, and by whatever index the deliveries are found: the list holds those that match, newest first.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { migrate } from '#shared/journal/database.ts'
import type { DeliveryEntry, EndedEntry } from '#shared/journal/entry.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { wordsOf } from '#shared/journal/words.ts'
import { writeEntries } from '#shared/journal/write.ts'
import { errorId } from '#shared/process/errors.ts'
import { listDead } from '../../apps/ops/actions/dead.ts'
import { listDeliveries } from '../../apps/ops/actions/deliveries.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { filters, type Row, rows } from './chance.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
  await migrate(stage.database)
  // Half of what ended is written down before its delivery is.
  for (const [index, { entry, ended }] of rows.entries())
    for (const one of index % 2 === 0 ? [entry, ...ended] : [...ended, entry]) await writeEntries(stage.database, [one])
})
after(() => stage?.close())

test('the list of deliveries holds those that match, newest first, page after page', async () => {
  await fc.assert(
    fc.asyncProperty(filters, async (filters) => {
      const expected = matching(filters)
      const limit = filters.limit ?? 50
      const first = await listDeliveries(stage.database, filters)
      assert.deepEqual(
        first.map(({ id }) => id),
        expected.slice(0, limit),
      )
      const last = first.at(-1)
      if (!last) return
      const next = await listDeliveries(stage.database, filters, { at: new Date(last.receivedAt), id: last.id })
      assert.deepEqual(
        next.map(({ id }) => id),
        expected.slice(limit, 2 * limit),
      )
    }),
    { numRuns: 150 },
  )
})

test('the list of dead letters holds those that match', async () => {
  await fc.assert(
    fc.asyncProperty(filters, async (filters) => {
      const { limit: _, state: __, ...rest } = filters
      const found = await listDead(stage.database, { ...rest, limit: 1000 })
      const expected = rows.filter(({ entry }) => isAbout(entry, rest)).flatMap(({ ended }) => ended.filter((one) => isDead(one, rest)))
      assert.deepEqual(found.map(({ id }) => id).toSorted(), expected.map(({ effect }) => effect.id).toSorted())
      const times = found.map(({ at }) => at ?? '')
      assert.deepEqual(times, times.toSorted().reverse())
    }),
    { numRuns: 100 },
  )
})

function matching(filters: Filters): string[] {
  const found = rows.filter((row) => isAbout(row.entry, filters) && hasEffect(row, filters)).map(({ entry }) => entry)
  found.sort((a, b) => (a.receivedAt === b.receivedAt ? (a.id < b.id ? 1 : -1) : a.receivedAt < b.receivedAt ? 1 : -1))
  return found.map(({ id }) => id)
}

function isAbout(entry: DeliveryEntry, { kind, project, mr, since, until, id, text }: Filters): boolean {
  const words = wordsOf(entry.title, entry.username, entry.project)
  const glob = project?.replaceAll(/[^\w*/]/g, String.raw`\$&`).replaceAll('*', '.*')
  return (
    (kind === undefined || entry.kind === kind) &&
    (glob === undefined || new RegExp(`^${glob}$`).test(entry.project ?? '\n')) &&
    (mr === undefined || (entry.project === mr.project && entry.iid === mr.iid)) &&
    (since === undefined || entry.receivedAt >= since.toISOString()) &&
    (until === undefined || entry.receivedAt < until.toISOString()) &&
    (id === undefined || entry.id.startsWith(id)) &&
    wordsOf(text).every((asked) => words.some((word) => word.startsWith(asked)))
  )
}

function hasEffect({ entry, ended }: Row, { sink, task, state, error }: Filters): boolean {
  if ([sink, task, state, error].every((filter) => filter === undefined)) return true
  return entry.effects.some((effect) => {
    const end = ended.find((one) => one.effect.id === effect.id)
    return (
      (sink === undefined || effect.sink === sink) &&
      (task === undefined || effect.id.endsWith(`/T${task}`)) &&
      (state === undefined || (end?.state ?? 'planned') === state) &&
      (error === undefined || (end?.state === 'dead' && errorId(end.reason ?? '') === error))
    )
  })
}

function isDead({ effect, state, reason }: EndedEntry, { sink, task, error }: Filters): boolean {
  return (
    state === 'dead' &&
    (sink === undefined || effect.sink === sink) &&
    (task === undefined || effect.id.endsWith(`/T${task}`)) &&
    (error === undefined || errorId(reason ?? '') === error)
  )
}
