// A Redis that is far away.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { Stage } from './stage.ts'

/** The address of the stage's Redis through something that makes its answers come `ms` later. */
export async function openSlowRedis(stage: Stage, ms: number): Promise<string> {
  const { hostname, port } = new URL(stage.redisUrl)
  const slow = createServer((client) => {
    const redis = connect(Number(port), hostname)
    for (const [one, other] of [[client, redis] as const, [redis, client] as const]) {
      one.on('error', () => undefined).on('close', () => other.destroy())
      one.on('data', (bytes) => void setTimeout(() => other.write(bytes), one === redis ? ms : 0))
    }
  }).listen(0, '127.0.0.1')
  await once(slow, 'listening')
  stage.defer(() => slow.close())
  const address = slow.address()
  return `redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}
