// What the tests of the spool play on: a spool directory, a port with no Redis behind it yet, and ingest processes, also such
// as think that they are on other hosts.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { onHost } from '../support/hosts.ts'
import { freePort } from '../support/ports.ts'
import { type Server, startRedis } from '../support/servers.ts'
import { type Environment, type Process, startReady } from '../support/service.ts'
import { post } from '../support/stage.ts'

let directory: string
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-spool-'))
})
after(() => rm(directory, { recursive: true }))

export type Scene = {
  port: number
  spool: string
  /** Starts an ingest; on a host of the name `host`, if given. */
  start: (more?: Environment, host?: string) => Promise<Process>
  startRedisThere: () => Promise<Server>
}

/** A test that has a Redis port of its own with nothing behind it yet, and a spool directory of its own. */
export function scene(title: string, play: (scene: Scene) => Promise<void>): void {
  test(title, async () => {
    const releases: Array<() => unknown> = []
    const port = await freePort()
    const spool = await mkdtemp(join(directory, 'spool-'))
    const environment = {
      SOURCE_TOKEN: 'a-source-token',
      HOST: '127.0.0.1',
      PORT: '0',
      REDIS_URL: `redis://127.0.0.1:${port}`,
      SPOOL_DIR: spool,
    }
    const start: Scene['start'] = async (more = {}, host) => {
      const there = host === undefined ? { environment: {}, flags: [] } : onHost(host)
      const ingest = await startReady('ingest', { ...environment, ...there.environment, ...more }, there.flags)
      releases.push(() => ingest.kill())
      return ingest
    }
    const startRedisThere = async () => {
      const redis = await startRedis({ port })
      releases.push(() => redis.stop())
      return redis
    }
    try {
      await play({ port, spool, start, startRedisThere })
    } finally {
      for (const release of releases.reverse()) await release()
    }
  })
}

export const send = (ingest: Process, id: string) =>
  post(ingest, { object_kind: 'push' }, { 'idempotency-key': id, 'x-gitlab-token': 'a-source-token' })

export async function sendAll(ingest: Process, ids: string[]): Promise<void> {
  for (const id of ids) assert.equal((await send(ingest, id)).status, 202)
}

export async function ask(ingest: Process, path: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${ingest.port()}${path}`)
  return { status: answer.status, text: await answer.text() }
}

/** The ids of the deliveries that wait in Redis, in the order in which they will be routed. */
export async function queued({ url }: Server): Promise<string[]> {
  const redis = new Redis(url, { maxRetriesPerRequest: null })
  const queue = new Queue('deliveries', { connection: redis, prefix: '{gitlab-webhooks}' })
  try {
    return (await queue.getJobs(['waiting'], 0, -1, true)).map(({ data }) => String(data.id))
  } finally {
    await queue.close()
    redis.disconnect()
  }
}

export const names = (count: number) => Array.from({ length: count }, (_, at) => `d-${at}`)
export const records = async (spool: string) => (await readdir(spool)).filter((name) => name.endsWith('.spool'))
