// The bodies of deliveries in the database: large ones, too, on a server with its usual limits.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { bodyOf } from '#shared/journal/body.ts'
import { migrate } from '#shared/journal/database.ts'
import type { DeliveryEntry } from '#shared/journal/entry.ts'
import { writeEntries } from '#shared/journal/write.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage
before(async () => {
  stage = await openStage()
  await migrate(stage.database)
})
after(() => stage?.close())

function entryOf(id: string, body: string): DeliveryEntry {
  const compressed = gzipSync(body).toString('base64')
  const told = { kind: 'push', decisions: [{ sink: 'sse', reason: 'why not' }], effects: [] }
  return { type: 'delivery', id, receivedAt: '2026-11-01T10:00:00.000Z', headers: {}, body: compressed, ...told }
}

const stored = (id: string) => stage.database.selectFrom('bodies').select('body').where('delivery', '=', id).executeTakeFirstOrThrow()

for (const [name, bytes] of [
  ['small', 1000],
  ['as large as a statement may be', 11 * 1024 * 1024],
] as const) {
  test(`a body that is ${name} is kept to the byte, and stays so when it is written again`, async () => {
    const body = JSON.stringify({ object_kind: 'push', noise: randomBytes(bytes).toString('base64') })
    for (const _ of [1, 2]) await writeEntries(stage.database, [entryOf(name, body)])
    assert.equal(await bodyOf((await stored(name)).body), body)
  })
}

test('a body that was written halfway is completed', async () => {
  const body = JSON.stringify({ object_kind: 'push', noise: randomBytes(8 * 1024 * 1024).toString('base64') })
  const entry = entryOf('halfway', body)
  const half = Buffer.from(entry.body, 'base64').subarray(0, 3 * 1024 * 1024)
  await stage.database.insertInto('bodies').values({ delivery: 'halfway', headers: '{}', body: half }).execute()
  await writeEntries(stage.database, [entry])
  assert.equal(await bodyOf((await stored('halfway')).body), body)
})

test('what is known of a delivery is kept also when its body is too large for the database', async () => {
  // MariaDB takes 16 MiB in one piece, and MySQL 64, unless it is told otherwise.
  const { rows } = await sql<{ most: number }>`select @@max_allowed_packet as most`.execute(stage.database)
  const noise = randomBytes(Number(rows[0]?.most) + 2 * 1024 * 1024).toString('base64')
  const body = JSON.stringify({ object_kind: 'push', noise })
  await assert.rejects(writeEntries(stage.database, [entryOf('too large', body)]))
  const decisions = await stage.database.selectFrom('decisions').select('reason').where('delivery', '=', 'too large').execute()
  assert.deepEqual(decisions, [{ reason: 'why not' }])
})
