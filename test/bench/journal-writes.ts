// How fast the journal is written, as the recorder does it: three entries at a time, each as it comes.
import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { effectId } from '#shared/event/effect.ts'
import type { Database } from '#shared/journal/database.ts'
import type { DeliveryEntry } from '#shared/journal/entry.ts'
import { writeEntries } from '#shared/journal/write.ts'

const atOnce = 3
const body = gzipSync(JSON.stringify({ object_kind: 'merge_request', text: 'x'.repeat(200) })).toString('base64')

/** Deliveries written a second, over `seconds`: each a merge request with two effects, which then end. */
export async function writesPerSecond(database: Database, seconds: number): Promise<number> {
  const started = performance.now()
  let count = 0
  const writer = async () => {
    while (performance.now() - started < seconds * 1000) {
      await writeDelivery(database, randomUUID(), count)
      count += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, writer))
  return count / ((performance.now() - started) / 1000)
}

async function writeDelivery(database: Database, id: string, number: number): Promise<void> {
  const receivedAt = new Date().toISOString()
  const about = { kind: 'merge_request', action: 'open', project: `repos/releng/project-${number % 3000}`, iid: number % 500 }
  const effects = (
    [
      ['phabricator', `T${number % 400_000}`],
      ['sse', 'message'],
    ] as const
  ).map(([sink, name]) => ({
    id: effectId(id, sink, name),
    delivery: id,
    sink,
    order: `${sink} ${number % 3000}`,
    since: receivedAt,
  }))
  const title = `Fix area${number % 500} of noun${number % 2999} for component${number % 300}`
  const decisions = [{ sink: 'phabricator' }, { sink: 'sse' }, { sink: 'gitlab-mentions', reason: 'nobody is listed' }]
  const entry: DeliveryEntry = {
    type: 'delivery',
    id,
    receivedAt,
    headers: {},
    body,
    username: 'alice',
    title,
    decisions,
    effects,
    ...about,
  }
  await writeEntries(database, [entry])
  for (const effect of effects)
    await writeEntries(database, [{ type: 'ended', effect, state: 'done', attempts: 1, endedAt: new Date().toISOString() }])
}
