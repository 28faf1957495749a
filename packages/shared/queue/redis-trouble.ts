// Whether Redis takes what the service would write, asked by writing; and when it does not, why, and what to do. A Redis
// that answers but refuses writes is as bad as one that is away.
import { once } from 'node:events'
import { connect } from 'node:net'
import { inWords } from '#shared/process/errors.ts'
import type { Probe } from '#shared/process/health.ts'
import { hostsOf, readRedisUrl } from '#shared/process/redis-address.ts'
import { keyPrefix } from './queues.ts'
import type { Redis } from './redis.ts'

/** `reason` is a sentence, `remedy` says what to do. One that `answers` may still be read. */
export type RedisTrouble = { reason: string; remedy: string; answers: boolean }

// What it says, what that means, and what to do about it.
const refusals: Array<[said: RegExp, reason: string, remedy: string]> = [
  [
    /\bOOM\b/,
    'its memory is full (maxmemory)',
    'raise maxmemory (`redis-cli config set maxmemory …`); deliveries wait in the spool meanwhile',
  ],
  [
    /READONLY/,
    'it is a replica',
    'put the address of the primary into REDIS_URL, or make this one the primary: `redis-cli replicaof no one`',
  ],
  [/MISCONF/, 'it cannot write to its disk', 'make room on its disk; its own log says more'],
  [/NOREPLICAS|replicas have/, 'too few of its replicas have it', 'start its replicas, or ask for fewer of them'],
  [/LOADING/, 'it is reading its data from its disk', 'wait until it has'],
  [/MASTERDOWN/, 'it is a replica that has lost its primary', 'start the primary'],
  [/CLUSTERDOWN/, 'a part of the Cluster is away', 'start the nodes that are away'],
  [/\bBUSY\b/, 'a script keeps it busy', '`redis-cli script kill`'],
  [
    /DENIED/,
    'its protected mode refuses connections from other machines',
    'give it a password (`requirepass`) and put that into REDIS_URL, or set `protected-mode no` where only this service reaches it',
  ],
  [/NOAUTH|WRONGPASS/, 'it does not accept our user or password', 'put the right ones into REDIS_URL'],
  [/NOPERM/, 'our user may not write under REDIS_PREFIX', 'let its ACL allow all commands on the keys that begin with {REDIS_PREFIX}'],
  [/max number of clients/, 'it has as many clients as it may (maxclients)', 'raise maxclients, or see who keeps connections'],
]

const awayRemedy = 'start it, or put its address into REDIS_URL'
const silentRemedy = 'it is frozen or very busy: look at its process and its machine; it goes on by itself when it answers'

type Parts = { redis: Redis; prefix: string; url: string; write?: () => Promise<unknown> }

/** For `/readyz` and metrics. Needs a connection that answers or fails at once. */
export function redisProbe(parts: Parts): Probe {
  return async () => {
    const trouble = await redisTrouble(parts)
    return trouble ? { state: 'down', reason: trouble.reason } : { state: 'up' }
  }
}

/** Writes under the prefix, or does what `write` does; answers what is wrong, if anything. Never rejects. */
export async function redisTrouble({
  redis,
  prefix,
  url,
  write = () => writeUnder(redis, prefix),
}: Parts): Promise<RedisTrouble | undefined> {
  try {
    await onStanding(redis, write)
    return undefined
  } catch (error) {
    return refusal(inWords(error), url) ?? (await whyAway(url, error))
  }
}

/** Does `work` when the connection stands, and once more when it broke meanwhile: it is made anew when Redis has refused a write. */
export async function onStanding<T>(redis: Redis, work: () => Promise<T>): Promise<T> {
  await standing(redis)
  try {
    return await work()
  } catch (error) {
    if (!/enableOfflineQueue|Connection is closed|max retries per request/.test(inWords(error))) throw error
    await standing(redis)
    return await work()
  }
}

/** A write that changes nothing. */
export async function writeUnder(redis: Redis, prefix: string): Promise<void> {
  await redis.set(`${keyPrefix(prefix)}:health`, new Date().toISOString(), 'PX', keptMs)
}

const keptMs = 60_000
const standMs = 500
const sayMs = 1000

async function standing(redis: Redis): Promise<void> {
  if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(standMs) }).catch(() => undefined)
}

function refusal(said: string, url: string): RedisTrouble | undefined {
  const [, reason, remedy] = refusals.find(([words]) => words.test(said)) ?? []
  if (reason === undefined || remedy === undefined) return undefined
  return { reason: `Redis at ${hostsOf(url)} refuses what we write: ${reason}.`, remedy, answers: true }
}

/** Why Redis failed with `error`, by the first words of the place itself: the client keeps them to itself. Never rejects. */
export async function whyAway(url: string, error: unknown): Promise<RedisTrouble> {
  const hosts = hostsOf(url)
  const isPlain = readRedisUrl(url)?.login.tls === undefined
  const said = await firstWords(url)
  if (said === undefined || (said === '' && !isPlain))
    return { reason: `Redis does not answer at ${hosts}.`, remedy: awayRemedy, answers: false }
  if (said === '') return { reason: `Redis at ${hosts} takes connections and does not answer.`, remedy: silentRemedy, answers: false }
  const told = refusal(said, url)
  // Whoever says no password is told of that, whatever is wrong.
  if (told && !/NOAUTH/.test(said)) return { ...told, reason: told.reason.replace('what we write', 'us'), answers: false }
  return { reason: `Redis at ${hosts} answers others, but not us: ${inWords(error)}`, remedy: silentRemedy, answers: false }
}

// What is said to a PING; nothing where that is silence, undefined where nobody listens.
async function firstWords(url: string): Promise<string | undefined> {
  const [node] = readRedisUrl(url)?.nodes ?? []
  if (!node) return undefined
  const socket = connect(node.port, node.host).on('error', () => undefined)
  const signal = AbortSignal.timeout(sayMs)
  try {
    await once(socket, 'connect', { signal })
    socket.write('PING\r\n')
    const [bytes]: unknown[] = await once(socket, 'data', { signal }).catch(() => [])
    return Buffer.isBuffer(bytes) ? bytes.toString('latin1', 0, 200) : ''
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}
