// How many deliveries a second the router takes that need no performer: those that nobody acts on, and those of which only
// the feed makes a message. They wait in Redis; then their queue is opened for one worker.
//   node test/bench/router.ts [--short] [--rounds 5] [--deliveries 10000]
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { hook } from '../support/fixtures.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { pushBody } from './bodies.ts'
import { service, waiting } from './carriers.ts'
import { carry, type Figures, messagesOf } from './carry.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { short: { type: 'boolean', default: false }, rounds: text, deliveries: text } })
const rounds = Number(values.rounds ?? (values.short ? 1 : 5))
const deliveries = Number(values.deliveries ?? (values.short ? 100 : 10_000))
const warmUp = Math.ceil(deliveries / 10)
const kinds = [
  { acts: 'nobody', what: 'user_create', body: JSON.stringify(hook('user-create')), messages: 0 },
  { acts: 'the feed', what: 'push', body: pushBody(5000), messages: 1 },
]

const stage = await openStage()
try {
  console.log(`${await machine(stage.redis)}; Redis, MariaDB and worker on the same machine`)
  console.log(`${deliveries} deliveries wait for one worker; medians of ${rounds} interleaved rounds\n`)
  const cases = kinds.map((kind) => ({ ...kind, found: [] as Figures[] }))
  for (let round = 0; round < rounds; round += 1) await play(stage, round % 2 === 0 ? cases : cases.toReversed())
  const rows = cases.map(({ acts, what, body, found }) => {
    const of = (figure: keyof Figures) => median(found.map((figures) => figures[figure]))
    const cpus = (['workerCpu', 'redisCpu', 'databaseCpu'] as const).map((figure) => (of(figure) * 1000).toFixed(0))
    return [acts, what, String(body.length), of('rate').toFixed(0), ...cpus]
  })
  console.log(table(['who acts', 'kind', 'bytes', 'deliveries/s', 'worker CPU µs', 'Redis CPU µs', 'database CPU µs'], rows))
  console.log('\nCPU is for each delivery, until the journal has it.')
} finally {
  await stage.close()
}

/** One round, with a worker of its own. */
async function play(stage: Stage, cases: Array<(typeof kinds)[number] & { found: Figures[] }>): Promise<void> {
  const worker = await service(stage, 1)
  const [taken, expected] = [[] as string[], [] as string[]]
  const through = async (count: number, { body, messages }: (typeof kinds)[number]) => {
    const hooks = Array.from({ length: count }, (_, index) => ({ id: String(taken.length + index), body }))
    taken.push(...hooks.map(({ id }) => id))
    if (messages > 0) expected.push(...hooks.map(({ id }) => id))
    const isOver = async () => (await waiting(worker.queue)) === 0 && (await stage.redis.xlen(worker.feed)) >= expected.length
    return await carry(stage, worker, hooks, { isOver, due: { hooks: taken.length, effects: expected.length } })
  }
  try {
    for (const one of cases) {
      await through(warmUp, one)
      one.found.push(await through(deliveries, one))
    }
    const ids = (await messagesOf(stage, worker)).map((message) => /"meta":\{"id":"service-\d+-(\d+)"/.exec(message)?.[1])
    if (!isDeepStrictEqual(ids, expected)) throw new Error('The feed has not each message once and in order: the figures do not count.')
  } finally {
    await worker.stop()
  }
}
