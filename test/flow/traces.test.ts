// What a collector is sent of a delivery on its way: spans that are linked, in traces that are short, and nothing secret.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { z } from 'zod'
import { openOtlp } from '#shared/process/otlp.ts'
import { type Remote, startAnswering } from '../support/answers.ts'
import { startProcess } from '../support/service.ts'
import { post } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { effectRows, type Flow, holding, mergeRequestHook, openFlow, verbs } from './flow.ts'

const valueSchema = z.object({ stringValue: z.string().optional(), intValue: z.number().optional() })
const attributesSchema = z
  .array(z.object({ key: z.string(), value: valueSchema }))
  .transform((list) => new Map(list.map(({ key, value }) => [key, value.stringValue ?? value.intValue])))
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: attributesSchema,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })),
  status: z.object({ code: z.number() }),
})
const sentSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: attributesSchema }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
})

let collector: Remote
let flow: Flow

before(async () => {
  collector = await startAnswering({ body: {} })
  flow = await openFlow(() => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }))
})
after(async () => {
  await flow?.close()
  await collector?.[Symbol.asyncDispose]()
})

test('a delivery is told of from its receipt to the calls it causes: linked over a hold, known to the remote, with no secret and no title', async () => {
  const { gitlab, phabricator } = flow.sandbox
  phabricator.fault({ kind: 'status', status: 503, times: 1 })
  const title = 'A title that is nobody’s business'
  const delivery = await flow.send(mergeRequestHook(flow, { title, description: 'Bug: T1' }))
  await until(() => holding(flow.worker, 'phabricator').length > 0, 'Phabricator is away')
  await flow.settled()
  assert.equal(verbs(flow, 1), 'opened')
  assert.deepEqual([await flow.ingest.stop(), await flow.worker.stop()], [0, 0])

  assert.deepEqual(new Set(collector.asked.map(({ path }) => path)), new Set(['/v1/traces']))
  const sent = collector.asked.flatMap(({ body }) => sentSchema.parse(JSON.parse(body)).resourceSpans)
  assert.deepEqual(
    new Set(sent.map(({ resource }) => resource.attributes.get('service.name'))),
    new Set(['gitlab-webhooks-ingest', 'gitlab-webhooks-worker']),
  )
  const spans = collector.asked.flatMap(({ body }) => spansIn(body))
  const named = (name: string) => spans.filter((span) => span.name === name)

  const [received, ...others] = named('receive')
  const [routed, ...more] = named('route')
  assert.ok(received && routed && others.length === 0 && more.length === 0)
  assert.deepEqual([received.attributes.get('delivery'), routed.attributes.get('delivery')], [delivery, delivery])
  assert.deepEqual([received.links, routed.links], [[], [idsOf(received)]])

  const comment = `${delivery}/phabricator/T1`
  const attempts = named('perform').filter(({ attributes }) => attributes.get('effect') === comment)
  assert.deepEqual(
    attempts.map(({ attributes, status }) => [attributes.get('outcome'), attributes.get('error.type'), status.code]),
    [
      [undefined, 'Unavailable', 2],
      ['done', undefined, 0],
    ],
  )
  for (const { links } of named('perform')) assert.deepEqual(links, [idsOf(routed)])
  const roots = [received, routed, ...named('perform')]
  assert.deepEqual(
    roots.map(({ parentSpanId }) => parentSpanId ?? ''),
    roots.map(() => ''),
  )
  assert.equal(new Set(roots.map(({ traceId }) => traceId)).size, roots.length, 'each is a trace of its own')

  // Of the attempt that failed and of the other one, as the remote was told.
  for (const attempt of attempts) {
    const calls = named('call').filter(({ parentSpanId }) => parentSpanId === attempt.spanId)
    assert.ok(calls.length > 0 && calls.every(({ traceId }) => traceId === attempt.traceId))
    for (const call of calls) {
      assert.equal(call.attributes.get('remote'), 'phabricator')
      assert.ok(phabricator.requests.some(({ traceparent }) => traceparent === `00-${call.traceId}-${call.spanId}-01`))
    }
  }
  assert.ok([...phabricator.requests, ...gitlab.requests].every(({ traceparent }) => traceparent !== undefined))

  const told = JSON.stringify(collector.asked.map(({ path, headers, body }) => [path, headers, body]))
  const { SOURCE_TOKEN = '', DATABASE_URL = '' } = flow.environment
  for (const unsaid of [SOURCE_TOKEN, DATABASE_URL, phabricator.token, gitlab.token, 'nobody’s business', 'Bug: T1'])
    assert.ok(unsaid.length > 5 && !told.includes(unsaid), unsaid)
})

test('without the packages that send traces a process says which are missing, and does not start', async () => {
  const code = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(name, context, next) {
      return next(name.startsWith('@opentelemetry/sdk') ? '@opentelemetry/not-installed' : name, context)
    } })`
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
  const ingest = startProcess('ingest', flow.environment, flags)
  flow.defer(() => ingest.kill())
  assert.equal(await ingest.exit, 78)
  assert.match(ingest.text(), /OTEL_EXPORTER_OTLP_ENDPOINT: needs the optional packages @opentelemetry\/\*/)
})

test('without a collector nothing is told, and deliveries that were traced go their way; a collector that takes nothing stops nobody', async () => {
  const asked = collector.asked.length
  const requests = flow.sandbox.phabricator.requests.length
  const quiet = await flow.start('worker', { OTEL_EXPORTER_OTLP_ENDPOINT: '' })
  collector.answer({ status: 403, body: { message: 'No.' } })
  const ingest = await flow.start('ingest')
  const delivery = 'traced-and-quiet'
  const answer = await post(ingest, mergeRequestHook(flow, { description: 'Bug: T5' }), { 'idempotency-key': delivery })
  assert.equal(answer.status, 202)
  await flow.settled()
  await until(async () => (await effectRows(flow, delivery)).get('phabricator/T5')?.state === 'done', 'the effect is done')
  assert.ok(flow.sandbox.phabricator.requests.slice(requests).every(({ traceparent }) => traceparent === undefined))
  assert.deepEqual([await ingest.stop(), await quiet.stop()], [0, 0])
  assert.ok(ingest.lines.some(({ msg }) => msg === 'the collector takes no traces'))
  assert.equal(collector.asked.slice(asked).length, 1)
})

test('what waits for the collector has a bound, an attribute too, and a collector that says nothing holds up no end', async () => {
  await using slow = await startAnswering({ body: {} })
  const { inSpan, close } = openOtlp({ app: 'worker', endpoint: slow.url, log: pino({ level: 'silent' }) })
  slow.answer(() => undefined)
  const attributes = { delivery: 'x'.repeat(5000) }
  await Promise.all(Array.from({ length: 5000 }, () => inSpan('receive', { attributes }, () => Promise.resolve())))
  await close()
  const [first, ...later] = slow.asked
  assert.ok(first && later.length < 8)
  assert.ok(!first.socket.destroyed, 'its answer was not waited for')
  const spans = slow.asked.flatMap(({ body }) => spansIn(body))
  assert.ok(spans.length > 0 && spans.length <= 2048 + 512, `${spans.length}`)
  assert.ok(spans.every((span) => String(span.attributes.get('delivery')).length === 1000))
})

function spansIn(body: string) {
  return sentSchema.parse(JSON.parse(body)).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}

function idsOf({ traceId, spanId }: { traceId: string; spanId: string }) {
  return { traceId, spanId }
}
