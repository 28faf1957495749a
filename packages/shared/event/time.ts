// Times as they come from outside, and as everything inside carries them.
import { z } from 'zod'

const end = Date.UTC(10_000, 0, 1)

/** Whether `ms` (since 1970) is a time from 1970 to 9999: others are none, neither for the database nor in what is written down. */
export function isTime(ms: number): boolean {
  return ms >= 0 && ms < end
}

/** ISO 8601 in UTC, of a time from 1970 to 9999. */
export const timeSchema = z.iso.datetime().refine((text) => isTime(Date.parse(text)), 'expected a time from 1970 to 9999')

/** By how much the clocks of two machines may differ, in ms: whoever compares times of two looks so far beyond. `doctor` says when they differ more. */
export const clocksDifferMs = 60_000
