// A reader of the feed, as a program in the field would be.
import { createParser, type EventSourceMessage } from 'eventsource-parser'

export type Reader = {
  response: Response
  messages: EventSourceMessage[]
  comments: string[]
  retries: number[]
  /** Settles when the server has ended the stream. */
  ended: Promise<void>
  close: () => void
}

/** Opens the feed at `url` and gathers what comes. */
export async function readFeed(url: string, headers: Record<string, string> = {}): Promise<Reader> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers, signal: leaving.signal })
  const reader: Omit<Reader, 'ended'> = { response, messages: [], comments: [], retries: [], close: () => leaving.abort() }
  const parser = createParser({
    onEvent: (message) => void reader.messages.push(message),
    onComment: (comment) => void reader.comments.push(comment),
    onRetry: (ms) => void reader.retries.push(ms),
  })
  return Object.assign(reader, { ended: pump(response, leaving.signal, (text) => parser.feed(text)) })
}

async function pump(response: Response, signal: AbortSignal, feed: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body ?? []) feed(decoder.decode(chunk, { stream: true }))
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
