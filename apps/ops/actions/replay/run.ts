// Runs a replay: one frozen dead letter after another, at most so many a second, never more than a few that nobody has
// tried yet, until all had their turn, most of the latest failed again, or somebody stops it. All progress is in the
// journal, so whoever runs it next goes on where it was; while one runs it, others only watch.
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '#shared/journal/database.ts'
import { addDetails } from '../../audit.ts'
import type { OpsContext } from '../../context.ts'
import { drySinks } from '../../dry-sinks.ts'
import { chosenBy } from './chosen.ts'
import { type Progress, replayOf } from './list.ts'
import { underLock } from './lock.ts'
import { putBack } from './put-back.ts'
import { settleRest } from './settle-rest.ts'
import { openTally } from './tally.ts'
import { watchUnderWay } from './under-way.ts'

type Options = { signal: AbortSignal; onProgress: (progress: Progress) => void }

const latest = 20
const lookEveryMs = 100
const saveEveryMs = 500
const quietMs = 10_000

/** Runs the replay `id` until it has ended, `signal` aborts, or an operator stops it; how it stands then. */
export async function runReplay(context: OpsContext, id: number, { signal, onProgress }: Options): Promise<Progress> {
  for (;;) {
    await underLock(context.database, `replay ${id}`, 0, (lost) => run(context, id, { signal, lost, onProgress }))
    const progress = await replayOf(context.database, id)
    onProgress(progress)
    if (progress.state !== 'going' || signal.aborted) return progress
    await pause(saveEveryMs)
  }
}

async function run(context: OpsContext, id: number, { signal, lost, onProgress }: Options & { lost: AbortSignal }): Promise<void> {
  const { database } = context
  const replay = await database.selectFrom('replays').select(['state', 'rate', 'act']).where('id', '=', id).executeTakeFirstOrThrow()
  if (replay.state !== 'going') return
  const sinks = drySinks(context)
  const underWay = watchUnderWay(latest)
  const tally = openTally(database, { replay: id, act: replay.act, onProgress })
  const fails = () => underWay.failing() > latest / 2
  const isToStop = () => signal.aborted || lost.aborted || !tally.isGoing() || fails()
  let [lookedAt, savedAt, next] = [0, 0, 0]

  async function look(): Promise<void> {
    if (Date.now() - lookedAt < lookEveryMs) return
    lookedAt = Date.now()
    await underWay.look((sent, verdict) => tally.count(sent.number, verdict))
    if (lookedAt - savedAt < saveEveryMs) return
    savedAt = lookedAt
    await tally.save()
  }

  // Waits until `isSo`, until the replay is to stop, or until for `patience` ms no effect has been tried. A queue may be on
  // hold for hours, so the whole wait has no limit.
  async function wait(isSo: () => boolean, patienceMs: number): Promise<void> {
    for (let [since, before] = [Date.now(), underWay.waiting()]; !isSo() && !isToStop() && Date.now() - since < patienceMs; ) {
      await pause(lookEveryMs)
      await look()
      if (underWay.waiting() !== before) [since, before] = [Date.now(), underWay.waiting()]
    }
  }

  for await (const letter of chosenBy(database, id, null)) {
    await look()
    await wait(() => underWay.waiting() < latest, Number.POSITIVE_INFINITY)
    if (isToStop()) break
    const put = await putBack(context, sinks, letter)
    await tally.count(letter.number, put.outcome)
    if (put.outcome === 'back') underWay.add({ number: letter.number, ...put })
    next = Math.max(Date.now(), next + 1000 / replay.rate)
    await pause(next - Date.now(), undefined, { signal }).catch(() => undefined)
  }
  await wait(() => underWay.waiting() === 0, quietMs)
  await settleRest(context, id, tally)
  await tally.save()
  if (lost.aborted && !signal.aborted) return
  const stopped = fails() ? `more than half of the last ${latest} failed again` : null
  const ended = signal.aborted ? 'interrupted' : stopped === null ? 'done' : 'stopped'
  await end(database, id, ended, stopped)
  if (replay.act !== null) await addDetails(database, replay.act, { ended })
}

// Only a replay that is still under way is ended: what an operator decided meanwhile stays.
async function end(database: Database, id: number, state: 'interrupted' | 'stopped' | 'done', stopped: string | null): Promise<void> {
  await database.updateTable('replays').set({ state, stopped }).where('id', '=', id).where('state', '=', 'going').execute()
}
