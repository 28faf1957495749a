// Watches for silence, once a minute: in the metrics, and in the log, once, when it becomes unusual, also before the worker
// was started. Then hooks may have been missed, and the log says how to find them.
import { setTimeout as pause } from 'node:timers/promises'
import { Gauge } from 'prom-client'
import type { Database } from '#shared/journal/database.ts'
import { offer, readSilence, type Silence } from '#shared/journal/silence.ts'
import { usualSilence } from '#shared/journal/usual-silence.ts'
import type { Log } from '#shared/process/log.ts'
import type { Registry } from '#shared/process/metrics.ts'

const lookMs = 60_000
const usualMs = 15 * 60_000

type Parts = { database: Database; metrics: Registry; log: Log; signal: AbortSignal }

/** Looks until `signal` aborts. While the database is away nothing is told. */
export async function watchSilence({ database, metrics, log, signal }: Parts): Promise<void> {
  let silence: Silence | undefined
  let usual = { ms: 0, until: 0 }
  let told = false
  showSilence(() => silence, metrics)

  async function look(): Promise<void> {
    const now = Date.now()
    try {
      if (usual.until < now) usual = { ms: await usualSilence(database, now), until: now + usualMs }
      silence = await readSilence(database, now, usual.ms)
    } catch {
      silence = undefined
    }
    if (!silence) return
    const { last, ratio } = silence
    if (ratio > 1 && !told) log.warn({ last, ratio, command: offer(silence) }, 'GitLab has been silent for unusually long')
    told = ratio > 1
  }

  while (!signal.aborted) {
    await look()
    await pause(lookMs, undefined, { ref: false, signal }).catch(() => undefined)
  }
}

function showSilence(silence: () => Silence | undefined, metrics: Registry): void {
  const gauge = (name: string, help: string, value: (silence: Silence, seconds: number) => number) =>
    new Gauge({
      name,
      help,
      registers: [metrics],
      collect() {
        const known = silence()
        if (known) this.set(value(known, (Date.now() - Date.parse(known.last)) / 1000))
        else this.remove()
      },
    })
  gauge(
    'gitlab_webhooks_seconds_since_last_delivery',
    'For how long GitLab has sent nothing; absent when unknown.',
    (_, seconds) => seconds,
  )
  gauge(
    'gitlab_webhooks_silence_ratio',
    'The same as a part of what is usual at this hour of the week; above 1 it is unusual.',
    ({ usualSeconds }, seconds) => seconds / usualSeconds,
  )
}
