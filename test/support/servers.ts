// Real Redis and MariaDB servers of our own: on free loopback ports, with their data in a temporary directory, and on a
// leash, so that nothing of them outlives the process that started them, however it ends.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { createConnection } from 'mysql2/promise'
import { letGo, onLeash } from './leashed.ts'
import { until } from './until.ts'

const run = promisify(execFile)

export type Server = { url: string; port: number; directory: string; pid: () => Promise<number>; stop: () => Promise<void> }

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** A Redis with an append-only file, or one that goes on with the data in `directory`, on `port`. */
export async function startRedis(options: { port?: number; directory?: string; settings?: string[] } = {}): Promise<Server> {
  const port = options.port ?? (await freePort())
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'gitlab-webhooks-redis-')))
  const safe = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction']
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--loglevel', 'warning']
  const args = [...place, ...safe, ...(options.settings ?? [])]
  const child = onLeash('redis-server', args, { directory: options.directory === undefined ? directory : undefined })
  child.stdout.resume()
  child.stderr.resume()
  const url = `redis://127.0.0.1:${port}`
  await until(() => answersPing(url), `Redis answers on port ${port}`)
  return { url, port, directory, stop: () => letGo(child), pid: () => redisPid(url) }
}

async function answersPing(url: string): Promise<boolean> {
  const redis = probe(url)
  try {
    return (await redis.ping()) === 'PONG'
  } finally {
    redis.disconnect()
  }
}

async function redisPid(url: string): Promise<number> {
  const redis = probe(url)
  try {
    return Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
  } finally {
    redis.disconnect()
  }
}

function probe(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null }).on('error', () => undefined)
}

/** A MariaDB with an empty database `gitlab_webhooks`. Its `url` has the rights to make further databases. */
export async function startMariaDb(): Promise<Server> {
  const port = await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-mariadb-'))
  const data = join(directory, 'data')
  const user = `--user=${userInfo().username}`
  await run('mariadb-install-db', [
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    user,
  ])
  const place = [
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(directory, 'socket')}`,
    `--pid-file=${join(directory, 'pid')}`,
  ]
  const args = ['--no-defaults', user, ...place, '--innodb-flush-log-at-trx-commit=2', '--skip-name-resolve']
  const child = onLeash('mariadbd', args, { directory })
  child.stdout.resume()
  child.stderr.resume()
  const root = `mysql://root@127.0.0.1:${port}`
  await until(() => runSql(`${root}/mysql`, 'create database if not exists gitlab_webhooks'), `MariaDB answers on port ${port}`)
  return { url: `${root}/gitlab_webhooks`, port, directory, stop: () => letGo(child), pid: () => mariaDbPid(directory) }
}

/** Runs one statement at `url`; true when it went through. */
export async function runSql(url: string, statement: string): Promise<true> {
  const connection = await createConnection({ uri: url, connectTimeout: 1000 })
  try {
    await connection.query(statement)
    return true
  } finally {
    connection.destroy()
  }
}

async function mariaDbPid(directory: string): Promise<number> {
  const { stdout } = await run('cat', [join(directory, 'pid')])
  return Number(stdout)
}
