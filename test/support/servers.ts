// Real Redis and MariaDB servers of our own: on free loopback ports, with their data in a temporary directory, and on a
// leash, so that nothing of them outlives the process that started them, however it ends.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { type Leashed, letGo, onLeash } from './leashed.ts'
import { freePort } from './ports.ts'
import { until } from './until.ts'

export type Server = { url: string; port: number; directory: string; pid: () => Promise<number>; stop: () => Promise<void> }

/** A Redis with an append-only file, or one that goes on with the data in `directory`, on `port`. */
export async function startRedis(options: { port?: number; directory?: string; settings?: string[] } = {}): Promise<Server> {
  const port = options.port ?? (await freePort())
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'gitlab-webhooks-redis-')))
  const safe = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction']
  const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--loglevel', 'warning']
  const args = [...place, ...safe, ...(options.settings ?? [])]
  const child = onLeash('redis-server', args, { directory: options.directory === undefined ? directory : undefined })
  const url = `redis://127.0.0.1:${port}`
  await ready(child, () => answersPing(url), `Redis answers on port ${port}`)
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

// Under the leash from the beginning. A temporary directory of its own, since each server at its start removes from it
// what it takes for leftovers, also those of others.
const installAndRun = `
directory=$1 user=$2 port=$3
shift 3
test -e "$directory/data" || mariadb-install-db --no-defaults --user="$user" --datadir="$directory/data" --tmpdir="$directory" \\
  --auth-root-authentication-method=normal --skip-test-db || exit
exec mariadbd --no-defaults --user="$user" --datadir="$directory/data" --tmpdir="$directory" --socket="$directory/socket" \\
  --pid-file="$directory/pid" --port="$port" --bind-address=127.0.0.1 --innodb-flush-log-at-trx-commit=2 --skip-name-resolve "$@"`

/**
 * A MariaDB with an empty database `gitlab_webhooks`, or one that goes on with the data in `directory`, on `port`. Its
 * `url` has the rights to make further databases.
 */
export async function startMariaDb(options: { port?: number; directory?: string; settings?: string[] } = {}): Promise<Server> {
  const port = options.port ?? (await freePort())
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'gitlab-webhooks-mariadb-')))
  const args = ['-c', installAndRun, 'mariadb', directory, userInfo().username, String(port), ...(options.settings ?? [])]
  const child = onLeash('sh', args, { directory: options.directory === undefined ? directory : undefined })
  const root = `mysql://root@127.0.0.1:${port}`
  await ready(child, () => runSql(`${root}/mysql`, 'create database if not exists gitlab_webhooks'), `MariaDB answers on port ${port}`)
  return { url: `${root}/gitlab_webhooks`, port, directory, stop: () => letGo(child), pid: () => mariaDbPid(directory) }
}

async function ready(child: Leashed, answers: () => Promise<boolean>, what: string): Promise<void> {
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (bytes: Buffer) => (said = `${said}${bytes.toString()}`.slice(-2000)))
  const ended = () => child.exitCode !== null || child.signalCode !== null
  await until(async () => ended() || (await answers()), what)
  if (ended()) throw new Error(`The server ended at once: ${said}`)
}

/** Runs one statement at `url`; true when it went through. */
export async function runSql(url: string, statement: string): Promise<true> {
  const connection = await createConnection({ uri: url, connectTimeout: 60_000 })
  try {
    await connection.query(statement)
    return true
  } finally {
    connection.destroy()
  }
}

/** What the server at `url` calls itself, such as `10.11.6-MariaDB`. */
export async function databaseVersion(url: string): Promise<string> {
  const connection = await createConnection({ uri: url, connectTimeout: 60_000 })
  try {
    const [rows] = await connection.query<RowDataPacket[]>('select version() as version')
    return String(rows[0]?.version)
  } finally {
    connection.destroy()
  }
}

/** The name and version of the Redis at `url`, or of the one that is installed. */
export async function redisVersion(url: string | undefined): Promise<string> {
  if (url === undefined) {
    const [, name, version] = /^(\w+) server v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' })) ?? []
    return `${name} ${version}`
  }
  const redis = probe(url)
  try {
    const info = await redis.info('server')
    const valkey = /valkey_version:([\d.]+)/.exec(info)?.[1]
    return valkey === undefined ? `Redis ${/redis_version:([\d.]+)/.exec(info)?.[1]}` : `Valkey ${valkey}`
  } finally {
    redis.disconnect()
  }
}

async function mariaDbPid(directory: string): Promise<number> {
  return Number(await readFile(join(directory, 'pid'), 'utf8'))
}
