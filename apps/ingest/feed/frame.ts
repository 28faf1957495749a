// One message as it goes over the wire, encoded once for all subscribers of this process.
import type { Cursor } from '#shared/event/cursor.ts'
import { factsOf, fitted, type MessageFacts } from '#shared/event/message.ts'
import { isObject, readObject } from '#shared/process/json.ts'
import { type About, aboutOf } from '#shared/queue/hidden-projects.ts'
import type { FeedEntry, Link } from '#shared/queue/relay.ts'

/** `bytes` are an event of the `message`, empty for one that nobody may see any more; `line` is one of JSON; `about` is the project it is about. */
export type Frame = Link & {
  bytes: Buffer
  message: () => string
  line: () => Buffer
  facts: () => MessageFacts
  receivedAt: () => number
  about: () => About | undefined
}

/** What an earlier release published may be too long. The facts are read, and the line is made, when somebody first asks for them, and then kept. */
export function frameOf({ cursor, previous, message, about }: FeedEntry<string | Buffer>): Frame {
  const start = `id: ${cursor}\ndata: `
  const bytes = message === undefined ? Buffer.alloc(0) : eventOf(start, message)
  const text = () => bytes.toString('utf8', start.length, bytes.length - 2)
  let facts: MessageFacts | undefined
  const read = () => (facts ??= factsOf(text()))
  let line: Buffer | undefined
  return {
    cursor,
    previous,
    bytes,
    message: text,
    line: () => (line ??= Buffer.from(lineOf(text(), cursor))),
    facts: read,
    receivedAt: () => about?.receivedAt ?? read().receivedAt,
    about: () => about ?? aboutOfFacts(read()),
  }
}

function aboutOfFacts({ project: path, projectId: id, receivedAt }: MessageFacts): About | undefined {
  return path === undefined ? undefined : aboutOf({ project: { id, path }, receivedAt: new Date(receivedAt).toISOString() })
}

const end = Buffer.from('\n\n')

function eventOf(start: string, message: string | Buffer): Buffer {
  return typeof message === 'string' ? Buffer.from(`${start}${fitted(message)}\n\n`) : Buffer.concat([Buffer.from(start), message, end])
}

const beforeMeta = ',"meta":{'

// The cursor goes into `meta`. That stands at the end of what this release publishes, and mostly has no braces inside: then all
// that comes before need not be read.
function lineOf(message: string, cursor: Cursor): string {
  const at = message.lastIndexOf(beforeMeta)
  const inside = at < 0 ? '' : message.slice(at + beforeMeta.length, -2)
  if (inside !== '' && message.endsWith('}}') && !/[{}]/.test(inside)) return `${message.slice(0, -2)},"cursor":"${cursor}"}}\n`
  const { meta, ...rest } = readObject(message) ?? {}
  return `${JSON.stringify({ ...rest, meta: { ...(isObject(meta) && meta), cursor } })}\n`
}
