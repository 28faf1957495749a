// `GET /openapi.json`: the public listener, described for programs.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { type JsonSchema, messageSchemaOf, schemaNames } from '#shared/event/message-schema.ts'
import { error, json, later, named, page, plain, refused, text } from './answers.ts'
import { parameters } from './parameters.ts'
import { searchParameters, storyParameters, storySchema } from './story-schema.ts'

const { version, license } = z
  .object({ version: z.string(), license: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')))

const cursor = { type: 'string', pattern: '^\\d{1,15}-\\d{1,10}$' }
const gap = { type: 'object', properties: { from: text, to: cursor }, required: ['from', 'to'] }
const line = (inside: object) => ({ type: 'string', contentMediaType: 'application/json', contentSchema: inside })
const anyMessage = { anyOf: schemaNames.toReversed().map(named) }

// One server-sent event, as a parser gives it: comments, and ids without data, are none.
const event = {
  type: 'object',
  required: ['id', 'data'],
  properties: { id: cursor },
  oneOf: [
    { properties: { event: false, data: line(anyMessage) } },
    { properties: { event: { const: 'gap' }, data: line(gap) }, required: ['event'] },
  ],
}
const gapLine = { type: 'object', required: ['meta'], properties: { meta: { type: 'object', required: ['gap'], properties: { gap } } } }
const lines = { itemSchema: { oneOf: [{ ...anyMessage, not: gapLine }, gapLine] } }

const feed = {
  operationId: 'readFeed',
  summary: 'What happens in the public projects, as it happens.',
  description: 'Without until and limit it does not end. It may be read by every page of the web.',
  parameters: parameters.map(({ name, in: place, about, example, schema, isList }) => ({
    name,
    in: place,
    description: about,
    schema,
    ...(isList && { style: 'form', explode: false }),
    example: isList ? example.split(',') : example,
  })),
  responses: {
    200: {
      description: 'The messages in the order of their cursors, and before what is missing a gap.',
      content: { 'text/event-stream': { itemSchema: event }, 'application/x-ndjson': lines, 'application/jsonl': lines },
    },
    400: refused('A parameter is not known, or cannot be understood.'),
    405: refused('Another method than GET, HEAD and OPTIONS.'),
    406: refused('Neither server-sent events nor JSON lines are acceptable.'),
    503: later(refused('As many read as may at once.')),
  },
}

const hooks = {
  operationId: 'takeDelivery',
  summary: 'Where GitLab sends its hooks.',
  security: [{ token: [] }, { signature: [] }],
  requestBody: { required: true, content: json({ type: 'object' }) },
  responses: {
    202: { description: 'The delivery is kept.', content: json({ type: 'object', properties: { id: text }, required: ['id'] }) },
    400: refused('The body is not a JSON object.'),
    401: refused('No token or signature that is accepted.'),
    413: refused('Over 25 MiB.'),
    415: refused('A Content-Encoding that is not understood.'),
    503: later(refused('Nothing was kept.')),
  },
}

const readiness = { type: 'object', properties: { state: { enum: ['ready', 'degraded', 'not ready'] } }, required: ['state'] }
const get = (operationId: string, summary: string, responses: object, more: object = {}) => ({
  get: { operationId, summary, ...more, responses },
})

const schemaName = { name: 'name', in: 'path', required: true, schema: { enum: schemaNames }, description: 'A kind, or "message".' }

const paths = {
  '/sse/': { get: feed },
  '/openapi.json': get('describe', 'This description.', { 200: { description: 'OpenAPI 3.2.', content: json({ type: 'object' }) } }),
  '/schemas/{name}.json': get(
    'readSchema',
    'The JSON Schema of the messages of a kind.',
    {
      200: { description: 'JSON Schema 2020-12.', content: { 'application/schema+json': { schema: { type: 'object' } } } },
      404: refused('No kind of that name is published.'),
    },
    { parameters: [schemaName] },
  ),
  '/': get('readPage', 'What happens, for people.', {
    200: page('The page.'),
    414: { description: 'A question that is too long for people.', content: plain },
    503: later({ description: 'Too many look at it.', content: plain }),
  }),
  '/merge-requests': get(
    'findMergeRequest',
    'Leads to what came of the merge request at an address.',
    {
      303: { description: 'There.', headers: { Location: { schema: text } } },
      400: page('It is not the address of a merge request.', error),
    },
    { parameters: searchParameters },
  ),
  '/merge-requests/{project}/{number}': get(
    'explain',
    'What came of a merge request of a public project, and why.',
    {
      200: page('What is known.', json(storySchema)),
      404: page('Nothing has come about it, or its project is not public.', error),
      503: later(page('Nobody can look at the moment.', error)),
    },
    { parameters: storyParameters },
  ),
  '/hooks': { post: hooks },
  '/healthz': get('live', 'Whether the process lives.', {
    200: { description: 'It does.', content: json({ type: 'object', properties: { state: { const: 'alive' } } }) },
  }),
  '/readyz': get('ready', 'Whether deliveries can be kept.', {
    200: { description: 'They can.', content: json(readiness) },
    503: { description: 'They cannot.', content: json(readiness) },
  }),
  '/metrics': get('count', 'What was counted, for Prometheus.', {
    200: { description: 'Its text format.', content: plain },
  }),
}

/** OpenAPI 3.2. Without a `publicUrl` addresses are relative to the document's own. */
export function openApi(publicUrl: string | undefined): object {
  const schemas = schemaNames.map((name): [string, JsonSchema | object] => [name, messageSchemaOf(name)])
  const refusal = { type: 'object', properties: { error: text }, required: ['error'] }
  return {
    openapi: '3.2.0',
    info: {
      title: 'gitlab-webhooks',
      summary: 'What happens in the public projects of a GitLab, live and back in time.',
      version,
      license: { name: license, identifier: license },
    },
    servers: [{ url: publicUrl ?? '.' }],
    paths,
    components: {
      schemas: { ...Object.fromEntries(schemas), error: refusal },
      securitySchemes: {
        token: { type: 'apiKey', in: 'header', name: 'X-Gitlab-Token' },
        signature: { type: 'apiKey', in: 'header', name: 'webhook-signature', description: 'Standard Webhooks.' },
      },
    },
  }
}
