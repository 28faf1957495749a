// What a subscriber asks for: from where on, and which messages. A cursor counts before a time, since an EventSource that
// comes back sends its last cursor to the address it was given at first; for the same reason the header counts before
// the address.
import { z } from 'zod'
import { type Cursor, isCursor } from '#shared/event/cursor.ts'
import { BadQuestion } from './bad-question.ts'
import { type Wish, wishOf } from './filter.ts'

/** Without a `wish` everything is wanted. */
export type Question = { from: Cursor | undefined; since: Since | undefined; wish: Wish | undefined }

/** A time as it was asked for, and in ms since 1970. */
export type Since = { text: string; time: number }

/** Reads the header and the query of a request. Throws `BadQuestion`. */
export function questionOf(header: string | undefined, query: (name: string) => string[]): Question {
  const wish = wishOf(query)
  const since = sinceOf(one('since', query))
  const inAddress = one('last_event_id', query)
  const from = header || inAddress
  for (const cursor of [from, inAddress])
    if (cursor !== undefined && !isCursor(cursor))
      throw new BadQuestion('last_event_id', 'expected a cursor, as the feed gives them in id:')
  return { from, since: from === undefined ? since : undefined, wish }
}

function one(name: string, query: (name: string) => string[]): string | undefined {
  const values = query(name)
  if (values.length > 1) throw new BadQuestion(name, 'expected only once')
  return values[0]
}

const anyTime = { offset: true, local: true }
const dateTime = z.union([z.iso.datetime(anyTime), z.iso.datetime({ ...anyTime, precision: -1 }), z.iso.date()])
const withoutOffset = /T[\d:.]+$/

function sinceOf(given: string | undefined): Since | undefined {
  if (given === undefined) return undefined
  if (/^\d{1,15}$/.test(given)) return { text: given, time: Number(given) }
  // A plus in an address stands for a blank, and many programs write offsets without a colon.
  const text = given.replace(/(T.*)[ +](\d\d):?(\d\d)$/, '$1+$2:$3').replace(/(T.*-\d\d)(\d\d)$/, '$1:$2')
  const time = dateTime.safeParse(text).success ? Date.parse(withoutOffset.test(text) ? `${text}Z` : text) : Number.NaN
  if (Number.isNaN(time) || time < 0)
    throw new BadQuestion('since', 'expected an ISO 8601 time such as 2026-11-23T10:00:00Z, or milliseconds since 1970')
  return { text, time }
}
