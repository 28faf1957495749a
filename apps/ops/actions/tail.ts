// `tail`: the feed as it grows, read from the relay itself, so that it also works while no ingest process is there.
import { setTimeout as pause } from 'node:timers/promises'
import type { Cursor } from '#shared/event/cursor.ts'
import { parseEvent } from '#shared/event/event.ts'
import { clocksDifferMs } from '#shared/event/time.ts'
import type { Filters } from '#shared/journal/search/filters.ts'
import { fits } from '#shared/journal/search/like.ts'
import { wordsOf } from '#shared/journal/words.ts'
import { type Json, readObject } from '#shared/process/json.ts'
import { openRelay } from '#shared/queue/relay.ts'
import type { OpsContext } from '../context.ts'

export type TailLine = {
  cursor: string
  /** The delivery. */
  id: string
  at: string
  kind: string
  action: string | null
  project: string | null
  mr: string | null
  user: string | null
  title: string | null
}

type Chosen = Pick<Filters, 'kind' | 'project' | 'mr' | 'text' | 'since' | 'until' | 'id' | 'limit'>

const pageMessages = 100
const blockMs = 1000

/**
 * The messages that match, from `since` or else from now on, until `limit` have come, all before `until` have,
 * or `signal` aborts. Rejects when Redis is away at first.
 */
export async function* tail({ redis, prefix }: OpsContext, chosen: Chosen, signal: AbortSignal): AsyncGenerator<TailLine> {
  const relay = openRelay({ redis, prefix })
  const { id, since, until, limit = Number.POSITIVE_INFINITY } = chosen
  // Cursors are by the clock of Redis, times by that of ingest.
  let cursor: Cursor = since ? `${Math.max(0, since.getTime() - clocksDifferMs)}-0` : await relay.newest()
  const isWhole = id !== undefined && (await relay.has(id))
  let count = 0
  while (!signal.aborted) {
    const entries = await relay.read(cursor, pageMessages, { block: blockMs }).catch(() => undefined)
    // Redis was there a moment ago: it comes back, and the cursor still stands.
    if (!entries) await pause(blockMs, undefined, { signal }).catch(() => undefined)
    for (const entry of entries ?? []) {
      cursor = entry.cursor
      const line = entry.message === undefined ? undefined : lineOf(cursor, entry.message)
      if (!line || !matches(line, chosen) || (isWhole && line.id !== id)) continue
      yield line
      count += 1
      if (count >= limit) return
    }
    if (until && entries && entries.length < pageMessages && Date.now() >= until.getTime()) return
  }
}

function lineOf(cursor: Cursor, message: string): TailLine | undefined {
  const meta = readObject(message)?.meta
  const { id, dt } = typeof meta === 'object' && meta !== null && !Array.isArray(meta) ? meta : {}
  if (!isText(id) || !isText(dt)) return undefined
  const { kind, action, project, mergeRequest, username } = parseEvent({ id, receivedAt: dt, headers: {}, body: message })
  return {
    cursor,
    id,
    at: dt,
    kind,
    action: action ?? null,
    project: project?.path ?? null,
    mr: mergeRequest ? `${mergeRequest.projectPath}!${mergeRequest.iid}` : null,
    user: username ?? null,
    title: mergeRequest?.title ?? null,
  }
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string'
}

function matches(line: TailLine, { kind, project, mr, text, since, until, id }: Chosen): boolean {
  const said = wordsOf([line.title, line.user, line.project].join(' '))
  return (
    (kind === undefined || line.kind === kind) &&
    (project === undefined || (line.project !== null && fits(line.project, project))) &&
    (mr === undefined || line.mr === `${mr.project}!${mr.iid}`) &&
    (text === undefined || wordsOf(text).every((word) => said.some((one) => one.startsWith(word)))) &&
    (id === undefined || line.id.startsWith(id)) &&
    (until === undefined || Date.parse(line.at) < until.getTime()) &&
    (since === undefined || Date.parse(line.at) >= since.getTime())
  )
}
