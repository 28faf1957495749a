// Whether a Redis can be trusted with a queue: new enough, never evicting, keeping what it was given. Asked by INFO,
// which is allowed also where CONFIG is not.
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { Redis } from './redis.ts'

/**
 * `name` is such as `Redis 7.0.15` or `Valkey 9.1.2`. `tooOld` says which version is needed; each of `dangers` names a setting
 * and what it should be. `slowSyncs` is how often its disk took so long to sync the append-only file that writing had to wait.
 */
export type Findings = { name: string; tooOld: string | undefined; dangers: string[]; slowSyncs: number }

const needed = [6, 2] as const

/** Looks at the server behind `redis`. Rejects when it does not answer. */
export async function inspectRedis(redis: Redis): Promise<Findings> {
  const info = await redis.info()
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const version = field('redis_version') ?? '0.0'
  const valkey = field('valkey_version')
  const name = valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`
  const policy = field('maxmemory_policy')
  const dangers: string[] = []
  if (policy !== undefined && policy !== 'noeviction')
    dangers.push(`maxmemory-policy is ${policy}, must be noeviction: else Redis throws jobs away`)
  if (field('aof_enabled') === '0') dangers.push('appendonly is no, must be yes: else a restart of Redis loses deliveries')
  const tooOld = isOlder(version) ? `${name} is too old: ${needed.join('.')} or newer is needed.` : undefined
  return { name, tooOld, dangers, slowSyncs: Number(field('aof_delayed_fsync') ?? 0) }
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < needed[0] || (major === needed[0] && minor < needed[1])
}

/**
 * Looks at Redis each time the connection is made: warns loudly about dangerous settings (unless `allowUnsafe`), and exits
 * 78 when it is too old.
 */
export function watchRedis(parts: { redis: Redis; allowUnsafe: boolean; log: Log }): void {
  const { redis, allowUnsafe, log } = parts
  async function look(): Promise<void> {
    try {
      const { tooOld, dangers } = await inspectRedis(redis)
      if (tooOld !== undefined) {
        log.fatal({ reason: tooOld }, 'cannot work with this Redis')
        process.exit(78)
      }
      if (!allowUnsafe)
        for (const danger of dangers) log.error({ danger }, 'Redis is not safe for a queue (REDIS_UNSAFE=allow silences this)')
    } catch (error) {
      log.debug({ reason: inWords(error) }, 'could not look at Redis')
    }
  }
  redis.on('ready', () => void look())
  if (redis.status === 'ready') void look()
}
