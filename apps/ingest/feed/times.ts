// Times as subscribers write them.
import { z } from 'zod'
import { BadQuestion } from './bad-question.ts'

/** A time as it was asked for, and in ms since 1970. */
export type Time = { text: string; time: number }

const anyTime = { offset: true, local: true }
const dateTime = z.union([z.iso.datetime(anyTime), z.iso.datetime({ ...anyTime, precision: -1 }), z.iso.date()])
const withoutOffset = /T[\d:.]+$/
// In seconds that is the year 5138, in milliseconds 1973.
const leastMs = 1e11

/** Reads ISO 8601, or seconds or milliseconds since 1970. Throws `BadQuestion` with the name of the parameter. */
export function timeOf(name: string, given: string, expected = timeForm): Time {
  if (/^\d{1,15}$/.test(given)) return { text: given, time: Number(given) < leastMs ? Number(given) * 1000 : Number(given) }
  // A plus in an address stands for a blank, and many programs write offsets without a colon.
  const text = given.replace(/(T.*)[ +](\d\d):?(\d\d)$/, '$1+$2:$3').replace(/(T.*-\d\d)(\d\d)$/, '$1:$2')
  const time = dateTime.safeParse(text).success ? Date.parse(withoutOffset.test(text) ? `${text}Z` : text) : Number.NaN
  if (Number.isNaN(time)) throw new BadQuestion(name, `expected ${expected}`)
  return { text, time }
}
export const timeForm = 'an ISO 8601 time such as 2026-11-23T10:00:00Z, or seconds or milliseconds since 1970'
