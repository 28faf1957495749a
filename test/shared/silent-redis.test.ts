// A network that drops packets tells neither side: only silence does.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { patientRedis } from '#shared/queue/queues.ts'
import { type Server, startRedis } from '../support/servers.ts'

let server: Server
before(async () => {
  server = await startRedis()
})
after(() => server?.stop())

test('a connection over which nothing comes any more is given up, and another one goes on', async () => {
  const sockets: Socket[] = []
  let muted: Socket[] = []
  const proxy = createServer((client) => {
    const redis = connect(server.port, '127.0.0.1')
    sockets.push(
      client.on('error', () => undefined),
      redis.on('error', () => undefined),
    )
    client.on('data', (bytes) => void (muted.includes(client) || redis.write(bytes)))
    redis.on('data', (bytes) => void (muted.includes(client) || client.write(bytes)))
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  const redis = patientRedis(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
  try {
    assert.equal(await redis.set('before', '1'), 'OK')
    muted = [...sockets]
    assert.equal(await redis.set('after', '1'), 'OK')
  } finally {
    redis.disconnect()
    for (const socket of sockets) socket.destroy()
    proxy.close()
  }
})
