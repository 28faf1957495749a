// Redis on more than one server: a Cluster of three, and a primary with a replica that Sentinels watch.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { letGo, onLeash } from './leashed.ts'
import { freePort } from './ports.ts'
import { type Server, startRedis } from './servers.ts'
import { until } from './until.ts'

export type Many = { url: string; servers: Server[]; stop: () => Promise<void> }

async function ask<T>(server: Server, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.url).on('error', () => undefined)
  try {
    return await question(redis)
  } finally {
    redis.disconnect()
  }
}

const stopAll = (servers: Server[]) => async () => void (await Promise.all(servers.map((server) => server.stop())))

/** A Redis Cluster whose three nodes share the slots. */
export async function startCluster(): Promise<Many> {
  // A cluster's bus has a port 10,000 above the server's.
  const ports = await Promise.all(Array.from({ length: 3 }, () => freePort(10_000)))
  const settings = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '30000']
  const servers = await Promise.all(ports.map((port) => startRedis({ port, settings })))
  const [first] = ports
  for (const [index, server] of servers.entries()) {
    const [from, to] = [Math.ceil((index * 16_384) / 3), Math.ceil(((index + 1) * 16_384) / 3) - 1]
    await ask(server, async (redis) => {
      for (let slot = from; slot <= to; slot += 1000)
        await redis.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: Math.min(1000, to - slot + 1) }, (_, more) => slot + more))
      if (index > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', String(first))
    })
  }
  const isWhole = (server: Server) =>
    ask(server, async (redis) => /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await redis.call('CLUSTER', 'INFO'))))
  await until(async () => (await Promise.all(servers.map(isWhole))).every(Boolean), 'the cluster is whole')
  return { url: `redis+cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`, servers, stop: stopAll(servers) }
}

/** A primary, its replica, and one Sentinel that makes the replica the primary soon after the primary is gone. */
export async function startSentinel(): Promise<Many> {
  const primary = await startRedis()
  const replica = await startRedis({ settings: ['--replicaof', '127.0.0.1', String(primary.port)] })
  await until(() => ask(replica, async (redis) => /master_link_status:up/.test(await redis.info('replication'))), 'the replica follows')

  const port = await freePort()
  const file = join(replica.directory, 'sentinel.conf')
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor hooks 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds hooks 1000',
    'sentinel failover-timeout hooks 5000',
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  const child = onLeash('redis-server', [file, '--sentinel'], {})
  const sentinel = { ...replica, url: `redis://127.0.0.1:${port}`, port, stop: () => letGo(child) }
  await until(() => ask(sentinel, async (redis) => /slaves=1/.test(await redis.info('sentinel'))), 'the Sentinel knows the replica')
  const servers = [primary, replica, sentinel]
  return { url: `redis+sentinel://127.0.0.1:${port}/hooks`, servers, stop: stopAll(servers.toReversed()) }
}
