// Where Redis is, as REDIS_URL says it: one server, the primary that Sentinels know, or a Cluster.

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

/** The hosts and ports that `url` names, for people; never its password. */
export function hostsOf(url: string): string {
  return (readRedisUrl(url)?.nodes ?? []).map(({ host, port }) => `${host}:${port}`).join(', ')
}
