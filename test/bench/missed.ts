// The messages that a reader has missed, in the two places where the feed finds them: in Redis, or in the journal, where
// the database makes the rows itself, all with one body. One more message stands before them: that is the reader's place.
import { gzipSync } from 'node:zlib'
import { type GitLabEvent, parseEvent } from '#shared/event/event.ts'
import { messageOf, messageRules } from '#shared/event/message.ts'
import { type Database, migrate } from '#shared/journal/database.ts'
import { aboutOf, writeAbout } from '#shared/queue/hidden-projects.ts'
import type { Redis } from '#shared/queue/redis.ts'
import { openRelay } from '#shared/queue/relay.ts'
import { runSql } from '../support/servers.ts'
import { pushBody } from './bodies.ts'

const bytes = 2000
const atOnce = 500
const start = Date.parse('2026-01-01T00:00:00Z')

/** The cursor after which the last `messages` follow. */
export type PlaceBefore = (messages: number) => string

/** The body of a push of 2 KB, with one tilde. */
function body(): string {
  return JSON.stringify({ ...JSON.parse(pushBody(bytes)), mark: '~' })
}

function event(): GitLabEvent {
  return parseEvent({ id: 'missed', receivedAt: new Date(start).toISOString(), headers: {}, body: body() })
}

/** What the feed makes of that body. */
export function pushMessage(): string {
  return messageOf(event(), 'https://gitlab.example')
}

/** Publishes `count` messages in Redis. */
export async function missInRedis({ redis, prefix }: { redis: Redis; prefix: string }, count: number): Promise<PlaceBefore> {
  const relay = openRelay({ redis, prefix, keep: 2 * count + 1000 })
  const message = pushMessage()
  const cursors: string[] = []
  for (let from = 0; from <= count; from += atOnce) {
    const ids = Array.from({ length: Math.min(atOnce, count + 1 - from) }, (_, index) => `missed-${from + index}`)
    cursors.push(...(await Promise.all(ids.map(async (id) => (await relay.publish(id, message)).cursor))))
  }
  return (messages) => cursors.at(-messages - 1) ?? ''
}

/** Writes `count` messages in the empty journal at `url`, as they were published beside their bodies if they are `kept`; the relay then has only the newest one. */
export async function missInJournal(
  { url, database, redis, prefix }: { url: string; database: Database; redis: Redis; prefix: string },
  count: number,
  kept = true,
): Promise<PlaceBefore> {
  await migrate(database)
  const { kind, project } = event()
  const message = pushMessage()
  const about = writeAbout(aboutOf(event()) ?? { receivedAt: start, names: [] })
  const published = `x'${gzipSync(message).toString('hex')}'`
  const stored = `x'${gzipSync(body()).toString('hex')}'`
  const id = `concat('missed-', lpad(seq, 9, '0'))`
  const chunk = 100_000
  for (let from = 0; from <= count; from += chunk) {
    const numbers = `seq_${from}_to_${Math.min(count, from + chunk - 1)}`
    await runSql(
      url,
      `insert into deliveries select ${id}, from_unixtime(${start / 1000}), '${kind}', null, '${project?.path}', null, null, null, 'hook' from ${numbers}`,
    )
    await runSql(url, `insert into bodies select ${id}, '{}', ${stored} from ${numbers}`)
    if (kept)
      await runSql(url, `insert into messages select ${id}, ${messageRules}, '${about}', ${message.length}, ${published} from ${numbers}`)
    await runSql(
      url,
      `insert into feed select ${start} + seq, 0, ${id}, if(seq = 0, '0-0', concat(${start} + seq - 1, '-0')) from ${numbers}`,
    )
  }
  const relay = openRelay({ redis, prefix })
  await relay.publish('missed-newest', pushMessage(), { cursor: `${start + count}-0`, previous: `${start + count - 1}-0` })
  return (messages) => `${start + count - messages}-0`
}
