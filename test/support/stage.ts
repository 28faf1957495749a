// What a test file plays on: a Redis, a database and a sandbox of its own, and the service's processes on request.
// Everything is let go in reverse order at the end, whatever happened.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Database, openDatabase } from '#shared/journal/database.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { seed } from '../sandbox/seed.ts'
import { faultsOnFeed } from './schemas.ts'
import { runSql, type Server, startMariaDb, startRedis } from './servers.ts'
import { type Environment, environmentFor, type Process, sourceToken, startReady } from './service.ts'

export type Stage = {
  sandbox: Sandbox
  redis: Redis
  redisUrl: string
  databaseUrl: string
  database: Database
  environment: Environment
  /** Starts a process and waits until it is ready; it is stopped with the stage. See `startProcess`. */
  start: (app: 'ingest' | 'worker', environment?: Environment, flags?: string[], descriptors?: number) => Promise<Process>
  /** Keeps a release for the end. */
  defer: (release: () => unknown) => void
  close: () => Promise<void>
}

export async function openStage(environment: Environment = {}): Promise<Stage> {
  const releases: Array<() => unknown> = []
  const defer = (release: () => unknown) => void releases.push(release)
  const faults: string[] = []
  const close = async () => {
    for (const release of releases.splice(0).reverse()) await release()
    assert.deepEqual(faults, [], 'what was published is not as the schemas say')
  }
  try {
    return { ...(await setUp(environment, defer, faults)), defer, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function setUp(environment: Environment, defer: Stage['defer'], faults: string[]): Promise<Omit<Stage, 'defer' | 'close'>> {
  const sandbox = await startSandbox()
  seed(sandbox)
  defer(() => sandbox.close())
  const redisServer = process.env.REDIS_URL ? undefined : await startRedis()
  defer(() => redisServer?.stop())
  const redisUrl = process.env.REDIS_URL || (redisServer?.url ?? '')
  const databaseUrl = await makeDatabase(defer)
  const redis = new Redis(redisUrl).on('error', () => undefined)
  const database = openDatabase(databaseUrl)
  defer(() => database.destroy())
  defer(() => redis.disconnect())

  const directory = redisServer?.directory ?? (await mkdtemp(join(tmpdir(), 'gitlab-webhooks-stage-')))
  if (!redisServer) defer(() => rm(directory, { recursive: true }))
  const prefix = `test-${randomBytes(4).toString('hex')}`
  defer(async () => faults.push(...(await faultsOnFeed(redis, prefix))))
  const whole = {
    ...environmentFor({ sandbox, redisUrl, databaseUrl }),
    REDIS_PREFIX: prefix,
    SPOOL_DIR: join(directory, 'spool'),
    ...environment,
  }
  return {
    sandbox,
    redis,
    redisUrl,
    databaseUrl,
    database,
    environment: whole,
    async start(app, more = {}, ...how) {
      const started = await startReady(app, { ...whole, ...more }, ...how)
      defer(() => started.kill())
      return started
    },
  }
}

/** The URL of a new database, in a server of its own with these `settings` unless DATABASE_URL is set; given up with `defer`. */
export async function makeDatabase(defer: Stage['defer'], settings: string[] = []): Promise<string> {
  const server: Server | undefined = process.env.DATABASE_URL ? undefined : await startMariaDb({ settings })
  if (server) defer(() => server.stop())
  const url = new URL(process.env.DATABASE_URL || (server?.url ?? ''))
  const name = `gitlab_webhooks_test_${randomBytes(6).toString('hex')}`
  await runSql(url.href, `create database ${name}`)
  defer(() => runSql(url.href, `drop database ${name}`))
  return new URL(`/${name}`, url).href
}

/** POSTs a hook to the ingest process, as GitLab does. */
export async function post(ingest: Process, body: string | object, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`http://127.0.0.1:${ingest.port()}/hooks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gitlab-event': 'System Hook', 'x-gitlab-token': sourceToken, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}
