// The forms in which the feed can be read: server-sent events, and lines of JSON.
import type { Cursor } from '#shared/event/cursor.ts'
import type { Frame } from './frame.ts'

export type Form = {
  name: string
  message: (frame: Frame) => Buffer
  /** What came after `from`, up to `to`, is gone. */
  gap: (from: string, to: string) => string
  /** A sign of life. */
  beat: string
  /** How far the feed has come, to stand before a sign of life or the end, where the form can say so without a message. */
  place: (cursor: Cursor) => string
  /** After how many ms to come back, where the form can say so. */
  retry: (ms: number) => string
}

const events: Form = {
  name: 'events',
  message: ({ bytes }) => bytes,
  gap: (from, to) => `id: ${to}\nevent: gap\ndata: ${JSON.stringify({ from, to })}\n\n`,
  beat: ':\n\n',
  place: (cursor) => `id: ${cursor}\n`,
  retry: (ms) => `retry: ${ms}\n`,
}

const lines: Form = {
  name: 'lines',
  message: ({ line }) => line(),
  gap: (from, to) => `${JSON.stringify({ meta: { gap: { from, to } } })}\n`,
  beat: '\n',
  place: () => '',
  retry: () => '',
}

const forms = { 'text/event-stream': events, 'application/x-ndjson': lines, 'application/jsonl': lines }

/** The media types of the forms. */
export type FormType = keyof typeof forms
export const formTypes = ['text/event-stream', 'application/x-ndjson', 'application/jsonl'] as const satisfies FormType[]

export function formOf(type: FormType): Form {
  return forms[type]
}
