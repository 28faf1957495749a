// One round: a story is delivered while everything is killed and frozen around it; then all heals, the queues run empty,
// and the oracle looks at what is there.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { Redis } from 'ioredis'
import { openDatabase } from '#shared/journal/database.ts'
import { countJobs } from '#shared/queue/counts.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { flowNames, openQueues, queueNames } from '#sinks/queues.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { seed as seedSandbox } from '../sandbox/seed.ts'
import { freePort } from '../support/ports.ts'
import { runSql, type Server, startMariaDb, startRedis } from '../support/servers.ts'
import { environmentFor } from '../support/service.ts'
import { until } from '../support/until.ts'
import { type Actor, serverActor, serviceActor } from './actors.ts'
import { limits, makeTrouble, type Tally } from './chaos.ts'
import { deliver, type Sent, sendAgain } from './client.ts'
import { emptyRedis } from './empty-redis.ts'
import { findings } from './findings.ts'
import type { Verdict } from './oracle.ts'
import { randomFrom } from './random.ts'
import { follow } from './readers.ts'
import { filesIn } from './spools.ts'
import { writeStory } from './story.ts'
import { watchUnderWay } from './under-way.ts'

export type Size = { merges: number; pushes: number; seconds: number; patience: number; longFreezes: boolean; rollouts: number }
export type Result = Tally & Verdict & { seed: number; deliveries: number; accepted: number; wrong: string[] }

/** Plays the round of `seed`. `mariadb` outlives it; `note` hears what happens. */
export async function playRound(seed: number, size: Size, mariadb: Actor & { url: string }, note: (text: string) => void): Promise<Result> {
  await using releases = new AsyncDisposableStack()
  const random = randomFrom(seed)
  const wrong: string[] = []
  const directory = await mkdtemp(joinPath(tmpdir(), 'gitlab-webhooks-crash-'))
  releases.defer(() => rm(directory, { recursive: true, force: true }))
  const sandbox = releases.use(await startSandbox())
  seedSandbox(sandbox)
  const review = { PHABRICATOR_REVIEW_PROJECT: sandbox.phabricator.addProject({ name: 'Patch-For-Review' }).phid }

  const redisPort = await freePort()
  const redisActor = serverActor('redis', () => startRedis({ port: redisPort, directory, settings: ['--appendfsync', 'always'] }))
  const base = new URL(mariadb.url)
  const databaseName = `crash_${seed}_${Date.now()}`
  await runSql(base.href, `create database ${databaseName}`)
  const databaseUrl = new URL(`/${databaseName}`, base).href
  releases.defer(async () => void (await runSql(base.href, `drop database ${databaseName}`)))
  const redisUrl = `redis://127.0.0.1:${redisPort}`
  const prefix = `crash-${seed}`
  const environment = { ...environmentFor({ sandbox, redisUrl, databaseUrl }), ...limits, REDIS_PREFIX: prefix, ...review }

  const fell = (text: string) => void wrong.push(text)
  const ports = await Promise.all(Array.from({ length: random.whole(1, 2) }, freePort))
  const shared = ports.length > 1 && random.chance(0.3)
  const spools = ports.map((_, index) => joinPath(directory, `spool-${shared ? 0 : index}`))
  const ingests = ports.map((port, index) =>
    serviceActor('ingest', `ingest-${index}`, { ...environment, PORT: String(port), SPOOL_DIR: spools[index] ?? '' }, fell),
  )
  const workers = [0, 1].map((index) => serviceActor('worker', `worker-${index}`, environment, fell))
  const actors: Actor[] = [redisActor, mariadb, ...ingests, ...workers]
  await redisActor.start()
  releases.defer(() => redisActor.kill())
  for (const actor of [...ingests, ...workers]) {
    await actor.start()
    releases.defer(() => actor.kill())
  }
  await Promise.all(ports.map((port) => until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, 'ingest is ready')))

  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null }).on('error', () => undefined)
  releases.defer(() => redis.disconnect())
  if (random.chance(0.7)) await emptyRedis({ actor: redisActor, directory, redis, prefix, random: random.fork(), note })

  releases.defer(watchUnderWay(redis, prefix, wrong))
  const followers = ports.map((port) => follow(`http://127.0.0.1:${port}/sse/`))
  for (const { stop } of followers) releases.defer(stop)
  const strands = writeStory({ sandbox, random: random.fork(), merges: size.merges, pushes: size.pushes })
  const rolling = randomFrom(seed + 1_000_003) // of its own, so that what each seed brought before it still brings
  const rollouts = rolling.chance(size.rollouts) ? { redis: redisActor, ingests, random: rolling } : undefined
  const trouble = makeTrouble({
    actors,
    sandbox,
    random: random.fork(),
    seconds: size.seconds,
    longFreezes: size.longFreezes,
    rollouts,
    note,
  })
  const parts = strands.map((strand, index) => ({
    strand,
    hooksUrl: `http://127.0.0.1:${ports[index % ports.length]}/hooks`,
    random: random.fork(),
    seconds: size.seconds,
  }))
  const sent: Sent[] = (await Promise.all(parts.map(deliver))).flat()
  const tally = await trouble
  note('all is well again')

  const queues = openQueues({ redis, prefix })
  const left = async () => {
    const counts = await Promise.all(flowNames.map(async (name) => [name, await countJobs(queues[name], { redis, prefix })] as const))
    const busy = counts.flatMap(([name, { waiting, active, delayed }]) =>
      Object.entries({ waiting, active, delayed }).flatMap(([state, count]) => (count > 0 ? `${count} ${state} in ${name}` : [])),
    )
    const kept = await Promise.all(
      ports.map(
        async (port) =>
          /"spool":\{[^}]*"deliveries":([1-9]\d*)/.exec(await (await fetch(`http://127.0.0.1:${port}/readyz`)).text())?.[1] ?? [],
      ),
    )
    return [...busy, ...kept.flat().map((count) => `${count} in a spool`), ...(await filesIn(spools))]
  }
  const settled = () =>
    until(async () => (await left()).every((line) => line.startsWith('torn')), 'the queues are empty', size.patience).catch(async () => {
      wrong.push(`not done after ${size.patience} ms: ${(await left()).join(', ')}`)
    })
  await settled()
  note('old events are sent again, when their jobs are gone')
  for (const name of queueNames) await queues[name].clean(0, 0, 'completed')
  await Promise.all(sent.map((one) => sendAgain(`http://127.0.0.1:${ports[0]}/hooks`, one)))
  await settled()
  const database = openDatabase(databaseUrl)
  releases.defer(() => database.destroy())
  const verdict = await findings({
    sent,
    sandbox,
    redis,
    stream: `${keyPrefix(prefix)}:feed`,
    queues,
    database,
    followers,
    inOrder: !shared,
    wrong,
  })
  if (wrong.length > 0) for (const actor of [...ingests, ...workers]) note(tail(actor.name, actor.lines()))
  const accepted = sent.filter((one) => one.accepted).length
  return { seed, ...tally, deliveries: sent.length, accepted, ...verdict, wrong }
}

function tail(name: string, lines: object[]): string {
  return [`--- ${name}`, ...lines.slice(-30).map((line) => JSON.stringify(line))].join('\n')
}

/** A MariaDB that can be killed, and comes back with its data. */
export async function openMariaDb(): Promise<Actor & { url: string; close: () => Promise<void> }> {
  const directory = await mkdtemp(joinPath(tmpdir(), 'gitlab-webhooks-crash-mariadb-'))
  const port = await freePort()
  let url = ''
  const actor = serverActor('mariadb', async (): Promise<Server> => {
    const server = await startMariaDb({ port, directory })
    url = server.url
    return server
  })
  await actor.start()
  const close = async () => {
    await actor.kill()
    await rm(directory, { recursive: true, force: true })
  }
  return { ...actor, url, close }
}
