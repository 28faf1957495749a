// All attacks at once beside real deliveries, on processes with the flags that are shipped: nothing ends, nothing grows beyond
// its bound, each real delivery is answered in time, and what it brings about is made once.
import { setTimeout as pause } from 'node:timers/promises'
import { peakOf } from '../bench/processes.ts'
import { shippedFlags } from '../bench/shipped-flags.ts'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { type Wait, waitOf } from '../support/wait.ts'
import { attack } from './attack.ts'

/** `attackers` is about how many connections each attack uses, `seconds` how long the siege is, `rate` real deliveries a second. */
export type Size = { attackers: number; seconds: number; rate: number }

export type Siege = {
  accepted: number
  /** How long each real delivery waited for its 202. */
  waits: Wait[]
  /** Of ingest and of the worker. */
  peakMegabytes: number[]
  /** Processes that ended. */
  ended: string[]
  /** Comments that are missing, and that are there more than once. */
  missing: number
  doubled: number
}

const signingKey = `whsec_${Buffer.from('a signing key of the siege').toString('base64')}`
const task = 1

export async function besiege({ attackers, seconds, rate }: Size): Promise<Siege> {
  const stage = await openStage({ SOURCE_SIGNING_KEY: signingKey, FEED_CONNECTIONS_PER_ADDRESS: '1000' })
  const ended: string[] = []
  try {
    const [ingest, worker] = await Promise.all([stage.start('ingest', {}, shippedFlags), stage.start('worker', {}, shippedFlags)])
    for (const [name, { exit }] of Object.entries({ ingest, worker })) void exit.then(() => ended.push(name))
    const stop = await attack(ingest.port(), attackers)
    const answers = await deliver(stage, ingest, seconds, rate)
    await stop()
    const peaks = ended.length > 0 ? [] : await Promise.all([ingest, worker].map(({ pid }) => peakOf(pid())))
    const counts = ended.length > 0 ? [] : await countComments(stage, answers.length)
    return {
      accepted: answers.length,
      waits: answers,
      peakMegabytes: peaks.map((bytes) => Math.round(bytes / 1024 / 1024)),
      ended: [...ended],
      missing: answers.length - counts.length,
      doubled: counts.filter((count) => count > 1).length,
    }
  } finally {
    await stage.close()
  }
}

/** Real merge requests, `rate` a second; answers how long each waited for its 202. */
async function deliver({ sandbox }: Stage, ingest: Process, seconds: number, rate: number): Promise<Wait[]> {
  const answers: Array<Promise<Wait>> = []
  for (let number = 0; number < seconds * rate; number++) {
    answers.push(deliverOne(ingest, bodyOf(number, sandbox.gitlab.url), number))
    await pause(1000 / rate)
  }
  return await Promise.all(answers)
}

function deliverOne(ingest: Process, body: object, number: number): Promise<Wait> {
  return waitOf(ingest.pid(), async () => {
    const { status } = await post(ingest, body, { 'idempotency-key': `siege-${number}` })
    if (status !== 202) throw new Error(`A real delivery was answered ${status}.`)
  })
}

const addressOf = (number: number, gitlabUrl: string) => `${gitlabUrl}/repos/siege/-/merge_requests/${number + 1}`

function bodyOf(number: number, gitlabUrl: string): object {
  const body = hook('merge-request-open', gitlabUrl)
  const attributes = isObject(body.object_attributes) ? body.object_attributes : {}
  return {
    ...body,
    object_attributes: { ...attributes, iid: number + 1, description: `Bug: T${task}`, url: addressOf(number, gitlabUrl) },
  }
}

/** How many comments there are for each delivery that has one. */
async function countComments({ sandbox }: Stage, expected: number): Promise<number[]> {
  const counts = () => {
    const found = new Map<string, number>()
    for (const text of sandbox.phabricator.comments(task)) {
      const [address] = /\S+\/-\/merge_requests\/\d+/.exec(text) ?? []
      if (address?.includes('/repos/siege/')) found.set(address, (found.get(address) ?? 0) + 1)
    }
    return [...found.values()]
  }
  await until(() => counts().length >= expected, 'all comments are made').catch(() => undefined)
  return counts()
}
