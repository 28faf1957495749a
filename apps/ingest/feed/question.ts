// What a subscriber asks for: from where on, and which messages. A cursor counts before a time, since an EventSource that
// comes back sends its last cursor to the address it was given at first; for the same reason the header counts before
// the address.
import { beginning, type Cursor, isCursor } from '#shared/event/cursor.ts'
import { BadQuestion } from './bad-question.ts'
import { type Wish, wishOf } from './filter.ts'
import { type Time, timeForm, timeOf } from './times.ts'

/** Without a `wish` everything is wanted, without an `end` also what comes from now on. */
export type Question = { from: Cursor | undefined; since: Time | undefined; wish: Wish | undefined; end: End | undefined }

/** Up to which cursor, or time of receipt, and how many messages. */
export type End = { to: Cursor | undefined; until: Time | undefined; limit: number }

// As clients send it by themselves, then as it is written into an address.
const cursorNames = ['lastEventId', 'last-event-id', 'last_event_id']
const known = [...cursorNames, 'since', 'until', 'limit', 'kind', 'project', 'action'].sort()
const longestTold = 60

const fromNowOn: Question = { from: undefined, since: undefined, wish: undefined, end: undefined }

/** Reads the header and the query of a request. Throws `BadQuestion`. */
export function questionOf(header: string | undefined, query: URLSearchParams): Question {
  if (query.size === 0 && !header) return fromNowOn
  for (const name of query.keys())
    if (!known.includes(name)) throw new BadQuestion(name.slice(0, longestTold), `is not known here; known are ${known.join(', ')}`)
  const wish = wishOf((name) => query.getAll(name))
  const since = one('since', query)
  const start = since === undefined ? undefined : timeOf('since', since)
  const inAddress = cursorNames.map((name) => cursorOf(name, one(name, query)))
  const from = cursorOf('Last-Event-ID', header || undefined) ?? inAddress.find((cursor) => cursor !== undefined)
  const end = endOf(one('until', query), one('limit', query))
  // An end without a beginning: all that there is up to there.
  if (end && from === undefined && start === undefined) return { from: beginning, since: undefined, wish, end }
  return { from, since: from === undefined ? start : undefined, wish, end }
}

function endOf(until: string | undefined, limit: string | undefined): End | undefined {
  if (until === undefined && limit === undefined) return undefined
  if (limit !== undefined && !/^0*[1-9]\d*$/.test(limit)) throw new BadQuestion('limit', 'expected a whole number from 1')
  const to = until === 'earliest' ? beginning : until !== undefined && isCursor(until) ? until : undefined
  const time = until === undefined || to !== undefined ? undefined : timeOf('until', until, `a cursor, or ${timeForm}`)
  return { to, until: time, limit: limit === undefined ? Number.POSITIVE_INFINITY : Number(limit) }
}

function one(name: string, query: URLSearchParams): string | undefined {
  const values = query.getAll(name)
  if (values.length > 1) throw new BadQuestion(name, 'expected only once')
  return values[0]
}

function cursorOf(name: string, given: string | undefined): Cursor | undefined {
  if (given === 'earliest') return beginning
  if (given !== undefined && !isCursor(given)) throw new BadQuestion(name, 'expected a cursor, as the feed gives them in id:, or earliest')
  return given
}
