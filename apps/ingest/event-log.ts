// `LOG_EVENTS_TO`: every accepted delivery, one JSON object a line, for people and for `import`. A log that cannot be
// written costs no delivery; it is said loudly and tried again with the next one.
import { createWriteStream, type WriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Delivery } from '#shared/delivery.ts'
import { refuseToStart } from '#shared/env.ts'
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

/** Appends to the file at `path`; without one keeps no log. Exits 78 when the file cannot be opened. */
export async function openEventLog(path: string | undefined, log: Log): Promise<EventLog> {
  if (path === undefined) return { append: ignore, reopen: ignore, close: () => Promise.resolve() }
  const file = path
  await mustOpen(file)
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
    },
    close: () => new Promise((resolve) => (stream ? stream.end(() => resolve()) : resolve())),
  }
}

async function mustOpen(path: string): Promise<void> {
  try {
    await (await open(path, 'a')).close()
  } catch (error) {
    refuseToStart([`LOG_EVENTS_TO: expected a file that can be written: ${inWords(error)}`])
  }
}

const ignore = () => undefined
