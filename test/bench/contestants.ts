// Those who are measured: the service's ingest process and the baselines, each a process of its own with a Redis of its
// own, whose queue is emptied after each round, so that every round starts alike.
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRedis } from '../support/servers.ts'
import { sourceToken, startReady } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startProgram } from './programs.ts'

export type Contestant = {
  name: string
  url: string
  redis: Redis | undefined
  /** CPU time used so far by the process, in µs. */
  cpu: () => Promise<number>
  /** CPU time used so far by its Redis, in µs. */
  redisCpu: () => Promise<number>
  /** Empties the queue, and answers how many bytes of Redis' memory a delivery took. */
  empty: () => Promise<number>
  stop: () => Promise<void>
}

/** When Redis writes to its disk, and where CPU profiles go, if anywhere. */
export type Conditions = { aof: 'everysec' | 'always'; profiles: string | undefined }

type Running = { name: string; port: number; stop: () => Promise<unknown>; queue?: Stored; cpu?: () => Promise<number> }
type Stored = { redis: Redis; key: string; directory: string; stop: () => Promise<unknown> }

// A rewrite of the append-only file in the middle of a round would hit one contestant and not the other.
const steady = ['--auto-aof-rewrite-percentage', '0']

async function openStore(key: string, aof: Conditions['aof']): Promise<Stored & { url: string }> {
  const server = await startRedis({ settings: [...steady, '--appendfsync', aof] })
  const redis = new Redis(server.url)
  return {
    url: server.url,
    directory: server.directory,
    redis,
    key,
    async stop() {
      redis.disconnect()
      await server.stop()
    },
  }
}

/** Bare Hono. */
export async function bareHono(): Promise<Contestant> {
  return contestant({ name: 'bare Hono', ...(await startProgram('baseline', {})) })
}

/** Bare Hono and one bare `queue.add`. */
export async function honoAndAdd({ aof, profiles }: Conditions): Promise<Contestant> {
  const queue = await openStore('bull:deliveries', aof)
  return contestant({ name: 'Hono + add', queue, ...(await startProgram('baseline', { REDIS_URL: queue.url, ...profiling(profiles) })) })
}

/** The service's ingest process. */
export async function service({ aof, profiles }: Conditions): Promise<Contestant> {
  const queue = await openStore('{bench}:deliveries', aof)
  const ingest = await startReady('ingest', {
    SOURCE_TOKEN: sourceToken,
    HOST: '127.0.0.1',
    PORT: '0',
    REDIS_URL: queue.url,
    REDIS_PREFIX: 'bench',
    SPOOL_DIR: join(queue.directory, 'spool'),
    ...profiling(profiles),
  })
  return contestant({ name: 'the service', queue, port: ingest.port(), stop: ingest.stop })
}

function profiling(directory: string | undefined): Record<string, string> {
  return directory === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${directory}` }
}

export function contestant({ name, port, stop, queue, cpu }: Running): Contestant {
  const url = `http://127.0.0.1:${port}`
  let empty = 0

  return {
    name,
    url,
    redis: queue?.redis,
    cpu: cpu ?? (() => toldCpu(url)),
    async redisCpu() {
      if (!queue) return 0
      const info = await queue.redis.info('cpu')
      const seconds = ['used_cpu_user', 'used_cpu_sys'].map((name) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]))
      return seconds.reduce((sum, part) => sum + part, 0) * 1e6
    },
    async empty() {
      if (!queue) return 0
      const { redis, key } = queue
      const waiting = await redis.llen(`${key}:wait`)
      const full = await usedMemory(redis)
      await clear(redis, `${key}:meta`)
      empty = await usedMemory(redis)
      return waiting === 0 ? 0 : (full - empty) / waiting
    },
    async stop() {
      await stop()
      await queue?.stop()
    },
  }
}

async function toldCpu(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)?.[1]) * 1e6
}

// What a queue says about itself stays; the append-only file starts anew.
async function clear(redis: Redis, meta: string): Promise<void> {
  const options = await redis.hgetall(meta)
  await redis.flushall()
  if (Object.keys(options).length > 0) await redis.hset(meta, options)
  await redis.bgrewriteaof()
  await until(
    async () => /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await redis.info('persistence')),
    'the file is short again',
  )
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1])
}
