// The words with which remotes and sinks tell the performer what kind of failure they met. Anything else that is
// thrown means: this attempt failed, try again later. They are read in one place, `apps/worker/performer/consequence.ts`.
import { createHash } from 'node:crypto'

/**
 * The remote is down, overloaded, read-only or rate-limiting: its queue holds, and no attempt is spent. `remote` names it
 * where a sink declares it; `retryAfter` is what the remote asked for, in ms.
 */
export class Unavailable extends Error {
  override name = 'Unavailable'
  readonly remote: string | undefined
  readonly retryAfter: number | undefined
  constructor(message: string, options: ErrorOptions & { remote?: string | undefined; retryAfter?: number | undefined } = {}) {
    super(message, options)
    this.remote = options.remote
    this.retryAfter = options.retryAfter
  }
}

/** Our credential is not accepted by `remote`: the queue holds, and says so loudly, until an operator has replaced it. */
export class Refused extends Error {
  override name = 'Refused'
  readonly remote: string | undefined
  constructor(message: string, options: ErrorOptions & { remote?: string | undefined } = {}) {
    super(message, options)
    this.remote = options.remote
  }
}

/** Never, for this effect: it becomes a dead letter at once. */
export class Permanent extends Error {
  override name = 'Permanent'
}

/** What an error says, for logs and rows: one line of at most 500 characters, with the reason behind it where there is one. */
export function inWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 500)
  const cause =
    error.cause instanceof Error && error.cause.message && !error.message.includes(error.cause.message) ? error.cause : undefined
  const words = cause ? `${error.message}: ${inWords(cause)}` : error.message || error.name
  return words.replaceAll(/\s+/g, ' ').slice(0, 500)
}

/**
 * A stable fingerprint of an error's words, 12 hexadecimal digits: what differs from one occurrence to the next (numbers,
 * ids, quoted names, times, addresses) is folded out, so that a thousand failures of one kind are one group.
 */
export function errorId(words: string): string {
  const folded = words
    .replaceAll(/https?:\/\/\S+/g, '<url>')
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '<name>')
    .replaceAll(/\bPHID-[\w-]+|\b[0-9a-f]{7,}\b/gi, '<id>')
    .replaceAll(/\d+/g, '<n>')
  return createHash('sha256').update(folded).digest('hex').slice(0, 12)
}

const differing = /https?:\/\/\S+|"[^"]*"|'[^']*'|`[^`]*`|\bPHID-[\w-]+|\b[0-9a-f]{7,}\b|\d+/gi

/** What two errors of one group say in common: `…` stands for what differs, and for the number of a task in any case. */
export function commonWords(one: string, other: string): string {
  const [first, second] = [one, other].map((words) => words.replaceAll(/\bT\d+/g, 'T…'))
  const theirs = second?.match(differing) ?? []
  return (first ?? '').replaceAll(differing, (part) => (part === theirs.shift() ? part : part.replace(/[^"'`]+/, '…')))
}
