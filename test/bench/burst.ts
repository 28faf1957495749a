// A burst: many events of fewer merge requests wait in Redis, each with a comment and a message of the feed, and one worker
// carries them out, with the flags that the Procfile sets. How long it takes, whether everything is there, once and in order,
// and how much memory the worker needs, in both halves of that time.
//   node test/bench/burst.ts [--short] [--rounds 3] [--events 10000] [--merge-requests 500]
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { openStage, type Stage } from '../support/stage.ts'
import { mergeRequestBody } from './bodies.ts'
import { type Hook, service } from './carriers.ts'
import { carry, messagesOf } from './carry.ts'
import { memoryOf } from './processes.ts'
import { shippedFlags } from './shipped-flags.ts'
import { machine, median, table } from './table.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, rounds: text, events: text, 'merge-requests': text },
})
const rounds = Number(values.rounds ?? (values.short ? 1 : 3))
const events = Number(values.events ?? (values.short ? 40 : 10_000))
const mergeRequests = Number(values['merge-requests'] ?? (values.short ? 4 : 500))
const warmUp = values.short ? 0 : mergeRequests
const actions = ['open', 'close', 'reopen', 'close']

const stage = await openStage({ SINKS_ENABLED: 'phabricator,sse', GITLAB_TOKEN: '' })
try {
  console.log(`${await machine(stage.redis)}; remotes, Redis, MariaDB and worker on the same machine`)
  console.log(`${events} events of ${mergeRequests} merge requests; medians of ${rounds} rounds\n`)
  const found: number[][] = []
  for (let round = 0; round < rounds; round += 1) found.push(await measure(stage))
  const digits = [1, 0, 2, 2, 2, 0, 0, 0]
  const row = digits.map((digit, figure) => median(found.map((figures) => figures[figure] ?? Number.NaN)).toFixed(digit))
  const cpus = ['worker CPU ms', 'Redis CPU ms', 'database CPU ms']
  console.log(table(['seconds', 'events/s', ...cpus, 'MiB before', 'first half', 'second half'], [row]))
  console.log('\nMilliseconds of CPU are for each event; memory is the largest resident set.')
} finally {
  await stage.close()
}

async function measure(stage: Stage): Promise<number[]> {
  const { phabricator } = stage.sandbox
  const own = phabricator.state.tasks.length
  for (let number = 0; number < mergeRequests; number += 1) phabricator.addTask({ id: 1000 + number, title: 'A task' })
  const worker = await service(stage, 1, shippedFlags)
  const comments = () => phabricator.state.tasks.slice(own)
  const made = () => comments().reduce((sum, { transactions }) => sum + transactions.length, 0)
  const begun = Date.now()
  const hooks = Array.from({ length: warmUp + events }, (_, index) => hookOf(index, begun))
  const through = (some: Hook[], all: number) => {
    const isOver = async () => made() >= all && (await stage.redis.xlen(worker.feed)) >= all
    return carry(stage, worker, some, { isOver, due: { hooks: all, effects: 2 * all } })
  }
  try {
    if (warmUp > 0) await through(hooks.slice(0, warmUp), warmUp)
    const before = await memoryOf(...worker.pids)
    const sizes: number[] = []
    const watch = setInterval(() => void memoryOf(...worker.pids).then((bytes) => sizes.push(bytes)), 100)
    const figures = await through(hooks.slice(warmUp), hooks.length).finally(() => clearInterval(watch))
    const sent = hooks.map((_, index) => nameOf(index))
    for (const { id } of comments()) {
      const authors = phabricator.comments(id).map((comment) => /^\S+/.exec(comment)?.[0])
      if (
        !isDeepStrictEqual(
          authors,
          sent.filter((_, index) => 1000 + (index % mergeRequests) === id),
        )
      )
        throw new Error(`T${id} has not each comment once and in order, but ${authors.join()}.`)
    }
    const messages = (await messagesOf(stage, worker)).map((message) => /"username":"(user-\d+)"/.exec(message)?.[1])
    if (!isDeepStrictEqual(messages, sent)) throw new Error('The feed has not each message once and in order.')
    const half = Math.ceil(sizes.length / 2)
    const memory = [before, Math.max(...sizes.slice(0, half)), Math.max(...sizes.slice(half - 1))].map((bytes) => bytes / 2 ** 20)
    return [events / figures.rate, figures.rate, figures.workerCpu, figures.redisCpu, figures.databaseCpu, ...memory]
  } finally {
    await worker.stop()
    phabricator.state.tasks.splice(own)
    phabricator.requests.splice(0)
  }
}

function hookOf(index: number, begun: number): Hook {
  const number = index % mergeRequests
  const action = actions[Math.floor(index / mergeRequests) % actions.length]
  const at = new Date(begun + index).toISOString()
  return {
    id: String(index),
    body: mergeRequestBody({ iid: number + 1, task: 1000 + number, at, username: nameOf(index), ...(action && { action }) }),
  }
}

function nameOf(index: number): string {
  return `user-${index}`
}
