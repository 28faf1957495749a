// `LOG_EVENTS_TO`: every accepted delivery, one JSON object a line, for people and for `import`. A log that cannot be
// written costs no delivery; it is said loudly and tried again with the next one.
import { closeSync, createWriteStream, openSync, type WriteStream } from 'node:fs'
import type { Delivery } from '#shared/delivery.ts'
import { inWords } from '#shared/errors.ts'
import type { Log } from '#shared/log.ts'
import type { Accept } from './hooks.ts'

export type EventLog = {
  append: (delivery: Delivery) => void
  /** Opens the file anew by its name, after somebody moved it away. */
  reopen: () => void
  close: () => Promise<void>
}

const mostWaiting = 64 * 1024 * 1024

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
  let stream: WriteStream | undefined

  function current(): WriteStream {
    if (stream) return stream
    const opened = createWriteStream(file, { flags: 'a' })
    opened.on('error', (error) => {
      log.error({ path, reason: inWords(error) }, 'cannot write the event log')
      if (stream === opened) stream = undefined
    })
    stream = opened
    return opened
  }

  return {
    append({ id, receivedAt, headers, body }) {
      const lines = current()
      if (lines.writableLength > mostWaiting) log.error({ path, delivery: id }, 'the event log is too slow: left out')
      else lines.write(`${JSON.stringify({ id, receivedAt, headers, body })}\n`)
    },
    reopen() {
      stream?.end()
      stream = undefined
      current()
    },
    close: () => new Promise((resolve) => (stream ? stream.end(() => resolve()) : resolve())),
  }
}

/** Why the file at `path`, which is made when it is not there, cannot be appended to; undefined when it can. */
export function whyUnwritable(path: string): string | undefined {
  try {
    closeSync(openSync(path, 'a'))
    return undefined
  } catch (error) {
    return inWords(error)
  }
}

const ignore = () => undefined
