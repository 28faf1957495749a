// Nobody who has no token and no signature can make ingest grow, end it, or delay a real delivery by the bodies he sends.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { shippedFlags } from '../bench/shipped-flags.ts'
import { type Deliveries, deliveriesOf } from '../support/deliveries.ts'
import { send } from '../support/request.ts'
import { type Process, sourceToken } from '../support/service.ts'
import { signed, signingKey } from '../support/sign.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { isInTime, type Wait, waitOf } from '../support/wait.ts'
import { head, openWire, type Wire } from '../support/wire.ts'

const mebibyte = 1024 * 1024
const longest = 25 * mebibyte
const body = '{"object_kind":"push"}'
const filler = Buffer.alloc(longest, ' ')
const wholeBody = Buffer.concat([Buffer.from('{"object_kind":"push"}'), filler.subarray(22)])

let stage: Stage
let ingest: Process
let deliveries: Deliveries
let sent = 0

before(async () => {
  stage = await openStage({ SOURCE_SIGNING_KEY: signingKey })
  deliveries = deliveriesOf(stage)
})
beforeEach(async () => {
  ingest = await stage.start('ingest', {}, shippedFlags)
})
after(() => stage?.close())

const forged = (id: string) => ({ ...signed('another body', id), 'content-length': longest })

async function strangers(count: number, headersOf: (id: string) => Record<string, string | number>): Promise<Wire[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const wire = await openWire(ingest.port())
      await wire.say(head('POST /hooks', headersOf(`stranger-${index}`)))
      return wire
    }),
  )
}

const isOver = (wire: Wire) => wire.isClosed() || wire.status() !== undefined
const hangUp = (wires: Wire[]) => {
  for (const wire of wires) wire.hangUp()
}

/** A real delivery, `signed` or with the token, and how long it took. */
async function deliver(content: string | Buffer, how: 'signed' | 'token' | 'both'): Promise<Wait> {
  const id = `real-${sent++}`
  const headers = {
    ...(how !== 'token' && signed(content, id)),
    ...(how !== 'signed' && { 'x-gitlab-token': sourceToken, 'idempotency-key': id }),
  }
  const wait = await waitOf(ingest.pid(), async () => {
    const answer = await send({ port: ingest.port(), path: '/hooks', headers, body: content })
    assert.equal(answer.status, 202, answer.body.toString())
  })
  await deliveries.taken(id)
  return wait
}

async function residentMebibytes(): Promise<number> {
  const { body: text } = await send({ port: ingest.port(), path: '/metrics', method: 'GET' })
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(text.toString())?.[1]) / mebibyte
}

/** Real deliveries of all sorts, one after another, until `isEnough`. */
async function deliverUntil(isEnough: () => boolean): Promise<void> {
  let peak = 0
  for (let count = 0; !isEnough() || count < 6; count++) {
    const how = (['signed', 'token', 'both'] as const)[count % 3] ?? 'both'
    const wait = await deliver(body, how)
    assert.ok(isInTime(wait), `a real delivery was answered after ${JSON.stringify(wait)}`)
    peak = Math.max(peak, await residentMebibytes())
  }
  assert.ok(peak < 512, `${Math.round(peak)} MiB`)
}

test('a signature that cannot be right by its form, id or time is refused before the body comes', async () => {
  const at = Date.now()
  const wrong: Array<Record<string, string>> = [
    { 'webhook-signature': 'x' },
    { ...signed(body, 'x'), 'webhook-signature': 'x' },
    { ...signed(body, 'x'), 'webhook-signature': 'v1,AAAA' },
    { ...signed(body, 'x'), 'webhook-id': '' },
    signed(body, 'x', at - 6 * 60_000),
    signed(body, 'x', at + 6 * 60_000),
  ]
  for (const headers of wrong) {
    const wire = await openWire(ingest.port())
    await wire.say(head('POST /hooks', { ...headers, 'content-length': longest }))
    await until(() => wire.status() === 401, 'it is refused although nothing of its body was sent')
    wire.hangUp()
  }
})

for (const [what, headersOf] of [
  ['nonsense for signatures', () => ({ 'webhook-signature': 'x', 'content-length': longest })],
  ['signatures of another body', forged],
] as const) {
  test(`sixty senders of 25 MiB with ${what} neither make it grow nor delay real deliveries`, async () => {
    const wires = await strangers(60, headersOf)
    for (const wire of wires) void wire.say(filler)
    await deliverUntil(() => wires.filter(isOver).length > 25)
    for (const status of wires.map((wire) => wire.status())) assert.ok(status === undefined || status === 401 || status === 503)
    hangUp(wires)
  })
}

test('sixty senders that stop before the end of their 25 MiB neither make it grow nor delay real deliveries', async () => {
  const wires = await strangers(60, forged)
  for (const wire of wires) void wire.say(filler.subarray(1))
  await deliverUntil(() => wires.filter(isOver).length > 10)
  hangUp(wires)
})

test('four hundred senders that say little of small bodies do not keep signed deliveries out', async () => {
  const wires = await strangers(400, (id) => ({ ...forged(id), 'content-length': 100_000 }))
  for (const wire of wires) void wire.say(filler.subarray(0, 70_000))
  await deliverUntil(() => wires.some(isOver))
  hangUp(wires)
})

for (const how of ['signed', 'both'] as const) {
  test(`a real delivery of 25 MiB that is ${how} waits among sixty strangers, and is taken`, async () => {
    const wires = await strangers(60, forged)
    for (const wire of wires) void wire.say(filler.subarray(1))
    await deliver(wholeBody, how)
    hangUp(wires)
  })
}
