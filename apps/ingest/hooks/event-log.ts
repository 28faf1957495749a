// `LOG_EVENTS_TO`: every accepted delivery, one JSON object a line, for people and for `import`. A log that cannot be
// written costs no delivery; it is said loudly and tried again with the next one.
import { closeSync, openSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { PassThrough, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Delivery } from '#shared/event/delivery.ts'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Accept } from './route.ts'

export type EventLog = {
  append: (delivery: Delivery) => void
  /** Opens the file anew by its name, after somebody moved it away. */
  reopen: () => void
  close: () => Promise<void>
}

const mostWaiting = 64 * 1024 * 1024
const newline = 0x0a
// Of a file that is made: it holds what GitLab tells, also of what is private.
const ownerOnly = 0o600

/** An `accept` that writes down in `eventLog` what `accept` has made durable. */
export function withEventLog(eventLog: EventLog, accept: Accept): Accept {
  return async function acceptAndLog(delivery) {
    await accept(delivery)
    eventLog.append(delivery)
  }
}

/** Appends to the file at `path`; without one keeps no log. */
export function openEventLog(path: string | undefined, log: Log): EventLog {
  if (path === undefined) return { append: ignore, reopen: ignore, close: () => Promise.resolve() }
  const file = path
  const underWay = new Set<Promise<void>>()
  let current: Writable | undefined

  function lines(): Writable {
    if (current) return current
    const opened = new PassThrough()
    const written = appendTo(file, opened)
      .catch((error: unknown) => log.error({ path, reason: inWords(error) }, 'cannot write the event log'))
      .finally(() => {
        underWay.delete(written)
        if (current === opened) current = undefined
      })
    underWay.add(written)
    current = opened
    return opened
  }

  return {
    append({ id, receivedAt, headers, body }) {
      const into = lines()
      if (into.writableLength > mostWaiting) log.error({ path, delivery: id }, 'the event log is too slow: left out')
      else into.write(`${JSON.stringify({ id, receivedAt, headers, body })}\n`)
    },
    reopen() {
      current?.end()
      current = undefined
      lines()
    },
    async close() {
      current?.end()
      await Promise.all(underWay)
    },
  }
}

// However that ends, `lines` takes nothing more after it.
async function appendTo(path: string, lines: PassThrough): Promise<void> {
  lines.on('error', ignore)
  try {
    await using file = await open(path, 'a+', ownerOnly)
    if (await isTorn(file)) await file.appendFile('\n')
    await pipeline(lines, file.createWriteStream())
  } finally {
    lines.destroy()
  }
}

// Whether the last line lacks its line break, since its writer was killed or the disk was full. The next line would become part
// of it.
async function isTorn(file: FileHandle): Promise<boolean> {
  const about = await file.stat()
  if (!about.isFile() || about.size === 0) return false
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, about.size - 1)
  return buffer[0] !== newline
}

/** Why the file at `path`, which is made when it is not there, cannot be appended to; undefined when it can. */
export function whyUnwritable(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'a', ownerOnly))
    return undefined
  } catch (error) {
    return inWords(error)
  }
}

const ignore = () => undefined
