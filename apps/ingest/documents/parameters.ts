// What one may ask of the feed: the description for programs and the page for people are made of this.

export type Parameter = {
  name: string
  in: 'query' | 'header'
  about: string
  example: string
  schema: object
  /** Several values, with commas between or given several times. */
  isList?: true
}

const text = { type: 'string' }
const cursor = { type: 'string', pattern: '^(\\d{1,15}-\\d{1,10}|earliest)$' }
const patterns = { type: 'array', minItems: 1, maxItems: 20, items: { type: 'string', minLength: 1, maxLength: 255 } }
const words = { ...patterns, maxItems: 50 }
const resume = 'The last cursor that was seen; "earliest" is the very beginning. Everything after it comes first, then what is live.'

/** In the order in which people meet them. */
export const parameters: Parameter[] = [
  { name: 'kind', in: 'query', about: 'Only these kinds of events.', example: 'merge_request,push', schema: words, isList: true },
  {
    name: 'project',
    in: 'query',
    about: 'Only projects whose path is like one of these shell patterns: * ? […], as Python’s fnmatch. * goes over slashes.',
    example: 'repos/releng/*',
    schema: patterns,
    isList: true,
  },
  {
    name: 'action',
    in: 'query',
    about: 'Only what was done like this: object_attributes.action, or action.',
    example: 'open,merge',
    schema: words,
    isList: true,
  },
  {
    name: 'since',
    in: 'query',
    about: 'Everything received from this time on, then what is live: ISO 8601, or milliseconds or seconds since 1970.',
    example: '2026-01-01T00:00:00Z',
    schema: text,
  },
  {
    name: 'until',
    in: 'query',
    about: 'What exists up to this time or cursor, itself included; then the answer ends.',
    example: '2026-01-02T00:00:00Z',
    schema: text,
  },
  {
    name: 'limit',
    in: 'query',
    about: 'At most so many messages of what exists; then the answer ends.',
    example: '100',
    schema: { type: 'integer', minimum: 1 },
  },
  {
    name: 'Last-Event-ID',
    in: 'header',
    about: `${resume} It counts before the parameters, and they before since.`,
    example: '0-0',
    schema: cursor,
  },
  ...['last_event_id', 'lastEventId', 'last-event-id'].map((name) => ({
    name,
    in: 'query' as const,
    about: resume,
    example: '0-0',
    schema: cursor,
  })),
]
