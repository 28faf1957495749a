// One message as it goes over the wire, encoded once for all subscribers of this process.

import { factsOf, fitted, type MessageFacts } from '#shared/event/message.ts'
import { type About, aboutOf } from '#shared/queue/hidden-projects.ts'
import type { FeedEntry, Link } from '#shared/queue/relay.ts'

/** `bytes` are empty for a message that nobody may see any more; `about` is the project it is about. */
export type Frame = Link & { bytes: Buffer; facts: () => MessageFacts; about: () => About | undefined }

/** What an earlier release published may be too long. The facts are read when a filter first asks for them, and then kept. */
export function frameOf({ cursor, previous, message, about }: FeedEntry): Frame {
  const start = `id: ${cursor}\ndata: `
  const bytes = message === undefined ? Buffer.alloc(0) : Buffer.from(`${start}${fitted(message)}\n\n`)
  let facts: MessageFacts | undefined
  const read = () => (facts ??= factsOf(bytes.toString('utf8', start.length)))
  return { cursor, previous, bytes, facts: read, about: () => about ?? aboutOfFacts(read()) }
}

function aboutOfFacts({ project: path, projectId: id, receivedAt }: MessageFacts): About | undefined {
  return path === undefined ? undefined : aboutOf({ project: { id, path }, receivedAt: new Date(receivedAt).toISOString() })
}

/** A message that says: what came after `from`, up to `to`, is gone. */
export function gapFrame(from: string, to: string): string {
  return `id: ${to}\nevent: gap\ndata: ${JSON.stringify({ from, to })}\n\n`
}
