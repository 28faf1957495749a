// `reconcile`: asks GitLab what happened to merge requests, compares that with the journal, and hands in what no hook told.
import { setTimeout as pause } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Delivery } from '#shared/event/delivery.ts'
import { inWords, Permanent } from '#shared/process/errors.ts'
import { countJobs } from '#shared/queue/counts.ts'
import { present } from '#shared/queue/presence.ts'
import { type MergeRequestNow, mergeRequestsSince, type Project, project, stateEvents, versions } from '#sinks/gitlab/history.ts'
import { onRecord } from '../../audit.ts'
import type { OpsContext } from '../../context.ts'
import { handIn, nothingYet } from '../../hand-in.ts'
import { gitlabOf } from '../token.ts'
import { type Happened, whatHappened } from './happened.ts'
import { readKnown } from './known.ts'
import { deliveryOf } from './missed-delivery.ts'

export type Missed = { id: string; mr: string; action: string; at: string; user: string | null }
export type Reconciled = {
  looked: number
  missed: Missed[]
  handedIn: number
  unreadable: Array<{ mr: string; reason: string }>
  /** Not all that was missed was handed in. */
  interrupted: boolean
}

type Options = {
  since: Date
  until: Date
  dryRun: boolean
  reason: string
  signal: AbortSignal
  onProgress: (looked: number) => void
  onWait: (waiting: number) => void
}

/**
 * Hands in what happened from `since` on and before `until` and is not in the journal, in the order in which it happened;
 * with `dryRun` only tells it. Throws when the journal or GitLab cannot be asked; then nothing was handed in.
 */
export async function reconcile(context: OpsContext, options: Options): Promise<Reconciled> {
  const { since, until, dryRun, reason, signal, onProgress, onWait } = options
  const api = gitlabOf(context)
  await journalIsComplete(context)
  const known = await readKnown(context.database, since)
  const projects = new Map<number, Project>()
  const missed: Array<{ delivery: Delivery; row: Missed }> = []
  const unreadable: Reconciled['unreadable'] = []
  let looked = 0

  async function look(merge: MergeRequestNow): Promise<void> {
    const [states, codes] = [await stateEvents(api, merge, signal), await versions(api, merge, signal)]
    const isMissed = (what: Happened) =>
      Date.parse(what.at) >= since.getTime() && Date.parse(what.at) < until.getTime() && !known.reports(merge.project_id, merge.iid, what)
    for (const what of whatHappened(merge, states, codes).filter(isMissed)) {
      const about = projects.get(merge.project_id) ?? (await project(api, merge.project_id, signal))
      projects.set(merge.project_id, about)
      const delivery = deliveryOf(merge, about, what)
      const row = { id: delivery.id, mr: `${about.path_with_namespace}!${merge.iid}`, action: what.action, at: what.at }
      missed.push({ delivery, row: { ...row, user: what.by?.username ?? null } })
    }
  }

  for await (const merge of mergeRequestsSince(api, since.toISOString(), signal)) {
    await look(merge).catch((error: unknown) => {
      if (!(error instanceof Permanent)) throw error
      unreadable.push({ mr: merge.web_url, reason: inWords(error) })
    })
    looked += 1
    onProgress(looked)
  }

  missed.sort((a, b) => Date.parse(a.row.at) - Date.parse(b.row.at))
  const found = { looked, missed: missed.map(({ row }) => row), unreadable }
  if (dryRun) return { ...found, handedIn: 0, interrupted: false }
  const window = { since: since.toISOString(), until: until.toISOString() }
  const details = { ...window, looked, missed: found.missed.slice(0, 100).map(({ id }) => id) }
  return await onRecord(context, { verb: 'reconcile', reason, details }, async (tally) => {
    const onHanded = (done: number) => {
      tally.count = done
    }
    await handIn(context, each(missed.map(({ delivery }) => delivery)), { tally: nothingYet(), signal, onWait, onProgress: onHanded })
    return { ...found, handedIn: tally.count, interrupted: signal.aborted && tally.count < missed.length }
  })
}

async function* each(deliveries: Delivery[]): AsyncGenerator<Delivery> {
  yield* deliveries
}

const patienceMs = 5000
const lookMs = 100

// What still waits to be routed or written down would look like missed.
async function journalIsComplete({ queues, redis, prefix }: OpsContext): Promise<void> {
  for (const deadline = Date.now() + patienceMs; ; await pause(lookMs)) {
    const unfinished = async (queue: Queue) => {
      const { waiting, active, delayed } = await countJobs(queue, { redis, prefix })
      return waiting + active + delayed
    }
    const [deliveries, entries] = [await unfinished(queues.deliveries), await unfinished(queues.journal)]
    const spooled = (await present({ redis, prefix })).reduce((sum, { spool }) => sum + (spool?.deliveries ?? 0), 0)
    if (deliveries + entries + spooled === 0) return
    if (Date.now() < deadline) continue
    const left = `${spooled} deliveries are in the spool, ${deliveries} wait to be routed, ${entries} entries to be written`
    throw new Error(`The journal is not up to date: ${left}. See bin/ops status, and try again.`)
  }
}
