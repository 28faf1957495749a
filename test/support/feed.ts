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

export type LineReader = {
  response: Response
  /** Every line, also those that are empty. */
  lines: string[]
  /** Settles when the server has ended the answer; rejects when it breaks off. */
  ended: Promise<void>
  close: () => void
}

/** Opens the feed at `url` as lines of JSON and gathers them. */
export async function readLines(url: string, headers: Record<string, string> = {}): Promise<LineReader> {
  const leaving = new AbortController()
  const response = await fetch(url, { headers: { accept: 'application/x-ndjson', ...headers }, signal: leaving.signal })
  const lines: string[] = []
  let rest = ''
  const take = (text: string) => {
    const all = (rest + text).split('\n')
    rest = all.pop() ?? ''
    lines.push(...all)
  }
  return { response, lines, ended: pump(response, leaving.signal, take), close: () => leaving.abort() }
}

async function pump(response: Response, signal: AbortSignal, feed: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of response.body ?? []) feed(decoder.decode(chunk, { stream: true }))
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
