// From where a reader of the feed comes, and how much one address may have.
import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { clientAddress, networks } from '../../apps/ingest/client-address.ts'
import { shareOut } from '../../apps/ingest/connection-shares.ts'
import { startProcess } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { head, openWire, type Wire } from '../support/wire.ts'

function addressOf(remoteAddress: string, told: string | undefined, trusted: string): string {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress })
  const request = new IncomingMessage(socket)
  if (told !== undefined) request.headers['x-forwarded-for'] = told
  return clientAddress(networks.parse(trusted))(request)
}

const table: Array<[remote: string, told: string | undefined, trusted: string, address: string]> = [
  ['192.0.2.1', undefined, '10.0.0.0/8', '192.0.2.1'],
  ['192.0.2.1', '203.0.113.9', '10.0.0.0/8', '192.0.2.1'],
  ['10.1.2.3', '203.0.113.9', '10.0.0.0/8', '203.0.113.9'],
  ['::ffff:10.1.2.3', '203.0.113.9', '10.0.0.0/8', '203.0.113.9'],
  ['10.1.2.3', undefined, '10.0.0.0/8', '10.1.2.3'],
  ['10.1.2.3', 'forged, 203.0.113.9', '10.0.0.0/8', '203.0.113.9'],
  ['10.1.2.3', '198.51.100.7, 203.0.113.9, 10.9.9.9', '10.0.0.0/8', '203.0.113.9'],
  ['10.1.2.3', '10.5.5.5, 10.9.9.9', '10.0.0.0/8', '10.5.5.5'],
  ['10.1.2.3', '203.0.113.9, nonsense', '10.0.0.0/8', '10.1.2.3'],
  ['10.1.2.3', '', '10.0.0.0/8', '10.1.2.3'],
  ['10.1.2.3', '203.0.113.9:4711', '10.1.2.3', '203.0.113.9'],
  ['::1', '[2001:db8:0:1::7]:4711', '::1, 10.1.2.3', '2001:db8:0:1'],
  ['::1', '2001:db8::1:2:3:4', '::1/128', '2001:db8:0:0'],
  ['2001:db8:a:b:c:d:e:f', '203.0.113.9', '2001:db8::/32', '203.0.113.9'],
]
test('X-Forwarded-For is believed from trusted proxies, and from its end', () => {
  for (const [remote, told, trusted, address] of table)
    assert.equal(addressOf(remote, told, trusted), address, JSON.stringify([remote, told]))
})

test('whatever stands in X-Forwarded-For, who is not trusted is who he is', () => {
  const told = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(fc.ipV4(), fc.ipV6())).map((addresses) => addresses.join(', ')),
  )
  fc.assert(fc.property(told, (text) => addressOf('192.0.2.1', text, '10.0.0.0/8') === '192.0.2.1'))
  fc.assert(fc.property(told, fc.ipV4(), (text, own) => addressOf('10.0.0.1', `${text}, ${own}`, '10.0.0.1') === own || own === '10.0.0.1'))
})

test('addresses of one IPv6 network are one, of others others', () => {
  const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))
  const four = fc.tuple(group, group, group, group).map((groups) => groups.join(':'))
  fc.assert(
    fc.property(four, four, four, (network, one, other) => {
      const [a, b] = [addressOf(`${network}:${one}`, undefined, '::1'), addressOf(`${network}:${other}`, undefined, '::1')]
      return a === b && a === network
    }),
  )
})

test('one address gets neither all slots of the feed, nor the feed all connections', () => {
  const size = fc.integer({ min: 10, max: 2_000_000 })
  fc.assert(
    fc.property(size, size, (all, feed) => {
      const shares = shareOut({ all, feed, feedPerAddress: undefined })
      assert.ok(shares.all <= all && shares.feed <= feed && shares.feed <= shares.all / 2 + Math.max(0, shares.all / 2 - 1000))
      assert.ok(shares.feedPerAddress >= 1 && shares.feedPerAddress < Math.max(2, shares.feed))
      assert.ok(shares.strangers * 3 < shares.all - shares.feed + 3)
    }),
  )
  assert.deepEqual(shareOut({ all: Number.POSITIVE_INFINITY, feed: 10_000, feedPerAddress: undefined }).feedPerAddress, 1000)
})

let stage: Stage
before(async () => {
  stage = await openStage({ FEED_CONNECTIONS: '10' })
})
after(() => stage?.close())

async function read(port: number, told?: string): Promise<Wire> {
  const wire = await openWire(port)
  await wire.say(head('GET /sse/', told === undefined ? {} : { 'x-forwarded-for': told }))
  await until(() => wire.status() !== undefined, 'it is answered')
  return wire
}

test('who opens all streams he can get leaves some to others, and no header gets him more', async () => {
  const port = (await stage.start('ingest', { TRUSTED_PROXIES: '192.0.2.0/24' })).port()
  const wires = await Promise.all(Array.from({ length: 12 }, (_, index) => read(port, `198.51.100.${index}`)))
  assert.equal(wires.filter((wire) => wire.status() === 200).length, 9)
  assert.equal(wires.filter((wire) => wire.status() === 503).length, 3)
  for (const wire of wires) wire.hangUp()
})

test('behind a trusted proxy the readers count, and not the proxy', async () => {
  const port = (await stage.start('ingest', { TRUSTED_PROXIES: '127.0.0.0/8' })).port()
  const greedy = await Promise.all(Array.from({ length: 12 }, (_, index) => read(port, `198.51.100.${index}, 203.0.113.9`)))
  assert.equal(greedy.filter((wire) => wire.status() === 200).length, 9)
  const other = await read(port, '203.0.113.10')
  assert.equal(other.status(), 200)
  for (const wire of [...greedy, other]) wire.hangUp()
})

test('what is no network is a mistake of the configuration', async () => {
  for (const wrong of ['proxy.example', '10.0.0.0/33', '::1/129', '10.0.0.1,,10.0.0.2', '10.0.0', '10.0.0.0/']) {
    const refused = startProcess('ingest', { ...stage.environment, TRUSTED_PROXIES: wrong })
    assert.equal(await refused.exit, 78)
    assert.match(refused.text(), /TRUSTED_PROXIES: expected addresses or networks/)
  }
})
