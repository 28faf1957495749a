// How the effects of a replay are doing that were put back last. What has failed once counts as failing while it is tried
// again: a replay that goes wrong is seen at the first attempts, and not a quarter of an hour later.
import type { Queue } from 'bullmq'

export type Verdict = 'waiting' | 'failing' | 'failed' | 'done'
export type Sent = { number: number; queue: Queue; job: string }
type OnEnd = (sent: Sent, verdict: 'done' | 'failed') => Promise<void>

export type UnderWay = {
  add: (sent: Sent) => void
  /** Asks how they are doing; `onEnd` is told, once each, of those that have ended. */
  look: (onEnd: OnEnd) => Promise<void>
  /** How many have not been tried yet. */
  waiting: () => number
  /** How many of the latest that were tried have failed. */
  failing: () => number
}

/** Looks after those that wait, and the `most` latest of the others. */
export function watchUnderWay(most: number): UnderWay {
  const waiting = new Set<Sent>()
  let tried: Array<{ sent: Sent; verdict: Verdict }> = []

  async function judge(sent: Sent, before: Verdict, onEnd: OnEnd): Promise<Verdict> {
    const verdict = before === 'done' || before === 'failed' ? before : await verdictOn(sent)
    if (verdict !== before && (verdict === 'done' || verdict === 'failed')) await onEnd(sent, verdict)
    return verdict
  }

  return {
    add: (sent) => void waiting.add(sent),
    async look(onEnd) {
      for (const one of tried) one.verdict = await judge(one.sent, one.verdict, onEnd)
      const looked = await Promise.all([...waiting].map(async (sent) => ({ sent, verdict: await judge(sent, 'waiting', onEnd) })))
      const moved = looked.filter(({ verdict }) => verdict !== 'waiting')
      for (const { sent } of moved) waiting.delete(sent)
      tried = [...tried, ...moved].slice(-most)
    },
    waiting: () => waiting.size,
    failing: () => tried.filter(({ verdict }) => verdict === 'failing' || verdict === 'failed').length,
  }
}

/** How an effect is doing, as its queue says. One whose job is gone has ended long ago. */
export async function verdictOn({ queue, job: id }: Sent): Promise<Verdict> {
  const state = await queue.getJobState(id)
  if (state === 'completed' || state === 'unknown') return 'done'
  if (state === 'failed') return 'failed'
  const job = await queue.getJob(id)
  return (job?.attemptsMade ?? 0) > 0 ? 'failing' : 'waiting'
}
