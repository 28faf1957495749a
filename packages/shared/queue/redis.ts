// Where Redis is, and connections to it: one server, the primary that Sentinels know, or a Cluster. To everybody else the
// three are one thing, since all keys share one hash tag.
import { Cluster, Redis as Server } from 'ioredis'
import { reconnectWhenDemoted } from './redis-refusal.ts'

/** A connection to Redis, whichever of the three it is. */
export type Redis = Server | Cluster

type Node = { host: string; port: number }
type Login = { username?: string; password?: string; tls?: object }
export type RedisPlace = { kind: 'server' | 'sentinel' | 'cluster'; nodes: Node[]; login: Login; database: number; primary: string }

/** The forms that `readRedisUrl` takes. */
export const redisForm =
  'expected redis://[user:password@]host:port[/database], redis+sentinel://[user:password@]host:port,…/primary[/database] or redis+cluster://[user:password@]host:port,…'

const form = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/]+)\/?(.*)$/
const usualPorts = { server: 6379, sentinel: 26379, cluster: 6379 }

/** The place that `url` names (`rediss` and `rediss+…` for TLS); undefined when it has none of the forms. */
export function readRedisUrl(url: string): RedisPlace | undefined {
  const [, tls, way = 'server', login = '', hosts = '', path = ''] = form.exec(url) ?? []
  const kind = way === 'sentinel' || way === 'cluster' ? way : 'server'
  const nodes = hosts.split(',').flatMap((host) => nodeOf(host, usualPorts[kind]) ?? [])
  const [first = '', second = ''] = path.split('/')
  const [primary, database] = kind === 'sentinel' ? [first, second] : ['', first]
  const [username, password] = [login.split(':')[0], login.split(':').slice(1).join(':')].map(decoded)
  const isWhole = nodes.length === hosts.split(',').length && (kind !== 'server' || nodes.length === 1)
  const isPlain = /^\d{0,9}$/.test(database) && (kind !== 'sentinel' || /^[\w.-]+$/.test(primary)) && (kind !== 'cluster' || path === '')
  if (hosts === '' || !isWhole || !isPlain || username === undefined || password === undefined) return undefined
  return {
    kind,
    nodes,
    database: Number(database),
    primary,
    login: { ...(username !== '' && { username }), ...(password !== '' && { password }), ...(tls === 's' && { tls: {} }) },
  }
}

function nodeOf(text: string, usualPort: number): Node | undefined {
  const [, bracketed, plain, port] = /^(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const number = port === undefined ? usualPort : Number(port)
  return host === undefined || number > 65_535 ? undefined : { host, port: number }
}

function decoded(text = ''): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

// After a command Redis must say something within this time, or the connection is given up: a network that drops packets
// tells nobody. The longest blocking read, BullMQ's, ends by itself after about 10 s.
const silentMs = 15_000

/** `patient` connections keep commands while Redis is away; the others fail them at once, after `commandTimeout` ms at the latest. */
export type Manner = { patient: true } | { patient: false; commandTimeout?: number | undefined }

/**
 * A connection to the place that `url` names. It connects, and connects again, by itself. Sentinels are asked without a
 * password. Throws when `url` names no place.
 */
export function connectRedis(url: string, manner: Manner): Redis {
  const place = readRedisUrl(url)
  if (!place) throw new Error(redisForm)
  const { kind, nodes, login, database, primary } = place
  const timeout = manner.patient ? undefined : manner.commandTimeout
  const each = {
    ...login,
    connectTimeout: 2000,
    socketTimeout: silentMs,
    disableClientInfo: true,
    maxRetriesPerRequest: manner.patient ? null : 1,
    ...(timeout !== undefined && { commandTimeout: timeout }),
  }
  const retry = (times: number) => Math.min(50 * times, manner.patient ? 2000 : 500)
  const enableOfflineQueue = manner.patient
  if (kind === 'cluster') return quiet(new Cluster(nodes, { redisOptions: each, enableOfflineQueue, clusterRetryStrategy: retry }))
  const one = { ...each, db: database, enableOfflineQueue, retryStrategy: retry, reconnectOnError: reconnectWhenDemoted() }
  if (kind === 'server') return quiet(new Server({ ...one, ...nodes[0] }))
  return quiet(new Server({ ...one, sentinels: nodes, name: primary, sentinelRetryStrategy: retry }))
}

// ioredis throws away a connection's errors if nobody listens; each command reports its own.
function quiet<R extends Redis>(redis: R): R {
  redis.on('error', () => undefined)
  return redis
}

/** The hosts and ports that `url` names, for people; never its password. */
export function hostsOf(url: string): string {
  return (readRedisUrl(url)?.nodes ?? []).map(({ host, port }) => `${host}:${port}`).join(', ')
}
