// A long list in pages: however its rows lie, each comes once, in order, in pages of the size that was asked for.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { behind, pagesOf } from '#shared/journal/keyset.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
  await sql`create table list (at int, id int, primary key (at, id))`.execute(stage.database)
})
after(() => stage?.close())

type Row = { at: number; id: number }

const lists = fc.uniqueArray(fc.record({ at: fc.nat(4), id: fc.nat(9) }, { noNullPrototype: true }), {
  selector: ({ at, id }) => `${at}-${id}`,
  maxLength: 30,
})
const most = fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined })

for (const [than, order] of [
  ['>', 'asc'],
  ['<', 'desc'],
] as const)
  test(`all pages together are the list, ${order}ending`, async () => {
    await fc.assert(
      fc.asyncProperty(lists, fc.integer({ min: 1, max: 12 }), most, async (rows, size, most) => {
        await fill(rows)
        const pages: Row[][] = []
        for await (const page of pagesOf(size, (last: Row | undefined, count) => read(last, count, than), most)) pages.push(page)
        const sorted = rows.toSorted((one, other) => one.at - other.at || one.id - other.id)
        if (than === '<') sorted.reverse()
        assert.deepEqual(pages.flat(), sorted.slice(0, most))
        for (const page of pages) assert.ok(page.length > 0 && page.length <= size)
        for (const page of pages.slice(0, -1)) assert.equal(page.length, size)
      }),
      { numRuns: 60 },
    )
  })

async function fill(rows: Row[]): Promise<void> {
  await sql`delete from list`.execute(stage.database)
  if (rows.length === 0) return
  const values = rows.map(({ at, id }) => sql`(${at}, ${id})`)
  await sql`insert into list values ${sql.join(values)}`.execute(stage.database)
}

async function read(last: Row | undefined, count: number, than: '>' | '<'): Promise<Row[]> {
  const direction = than === '>' ? sql`asc` : sql`desc`
  const isBehind = behind(last && { at: last.at, id: last.id }, than)
  const { rows } = await sql<Row>`
    select at, id from list where ${isBehind} order by at ${direction}, id ${direction} limit ${sql.lit(count)}`.execute(stage.database)
  return rows.map(({ at, id }) => ({ at, id }))
}
