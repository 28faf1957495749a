// GitLab as a client: it sends each delivery once, and of one strand the next only when the one before was answered.
// What was not answered with 202 does not count, or is sent again with the same key.
import { setTimeout as pause } from 'node:timers/promises'
import { sourceToken } from '../support/service.ts'
import type { Random } from './random.ts'
import type { Delivery, Strand } from './story.ts'

/** `accepted`: answered with 202. One that was not may have been kept all the same. `body` is as it was sent. */
export type Sent = { strand: Strand; delivery: Delivery; body: string; accepted: boolean }

/** The key under which another hook tells of the same event. */
export const otherKey = (key: string) => `${key}-other`

type Parts = { strand: Strand; hooksUrl: string; random: Random; seconds: number }

/** Sends the strand within about `seconds`, evenly or in a burst at some moment; what became of each, in order. */
export async function deliver({ strand, hooksUrl, random, seconds }: Parts): Promise<Sent[]> {
  const sent: Sent[] = []
  const all = seconds * 1000
  const inBurst = random.chance(0.5)
  if (inBurst) await pause(random.next() * all * 0.9)
  for (const delivery of strand.deliveries) {
    await pause(random.next() * (inBurst ? 40 : (2 * all) / strand.deliveries.length))
    const body = JSON.stringify(delivery.body(new Date()))
    const tries = random.chance(0.5) ? 1 : 6
    let accepted = false
    for (let tried = 0; tried < tries && !accepted; tried++) {
      if (tried > 0) await pause(random.whole(50, 1500))
      accepted = await post(hooksUrl, delivery.key, body)
    }
    sent.push({ strand, delivery, body, accepted })
    // By the same hook again, or by another one that tells of the same event.
    if (accepted && random.chance(0.1)) await post(hooksUrl, sent.length % 2 === 0 ? delivery.key : otherKey(delivery.key), body)
  }
  return sent
}

/** Sends an old event again that was taken before, as people do from GitLab's list. */
export async function sendAgain(hooksUrl: string, { delivery, body, accepted }: Sent): Promise<void> {
  if (accepted && delivery.isOld) await post(hooksUrl, delivery.key, body)
}

const patience = 10_000

async function post(hooksUrl: string, key: string, body: string): Promise<boolean> {
  const headers = {
    'content-type': 'application/json',
    'x-gitlab-event': 'System Hook',
    'x-gitlab-token': sourceToken,
    'idempotency-key': key,
  }
  try {
    const answer = await fetch(hooksUrl, { method: 'POST', headers, body, signal: AbortSignal.timeout(patience) })
    await answer.arrayBuffer()
    return answer.status === 202
  } catch {
    return false
  }
}
