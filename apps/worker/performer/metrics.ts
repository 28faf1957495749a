// What all performers of a process count together.
import { Counter, Histogram } from 'prom-client'
import type { Registry } from '#shared/process/metrics.ts'
import type { Sink } from '#sinks/sink.ts'

export type PerformerMetrics = ReturnType<typeof performerMetrics>

export function performerMetrics(registry: Registry) {
  return {
    effects: new Counter({
      name: 'gitlab_webhooks_effects_total',
      help: 'Effects that have ended, by sink and outcome.',
      labelNames: ['sink', 'outcome'],
      registers: [registry],
    }),
    shortfalls: new Counter({
      name: 'gitlab_webhooks_shortfalls_total',
      help: 'Effects of which a remote let us do less than was due, by sink and what that was: bin/ops doctor tells of the last week.',
      labelNames: ['sink', 'shortfall'],
      registers: [registry],
    }),
    duration: new Histogram({
      name: 'gitlab_webhooks_attempt_duration_seconds',
      help: 'How long performing an effect took.',
      labelNames: ['sink'],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.3, 1, 3, 10, 30],
      registers: [registry],
    }),
  }
}

/** Counts an effect of the sink `name` that has ended. */
export function countOutcome(
  { effects, shortfalls }: PerformerMetrics,
  name: string,
  sink: Pick<Sink, 'shortfalls'>,
  { state, reason = '' }: { state: string; reason?: string },
): void {
  effects.inc({ sink: name, outcome: state })
  for (const one of sink.shortfalls)
    if (one.state === state && reason.startsWith(one.begins)) shortfalls.inc({ sink: name, shortfall: one.name })
}

/** A function that counts a job of the queue with a name as ended; those of `queues` are counted from the start. */
export function countEnded(registry: Registry, queues: readonly string[]): (queue: string) => void {
  const ended = new Counter({
    name: 'gitlab_webhooks_jobs_ended_total',
    help: 'Jobs that have ended, as they should or as dead letters, by queue.',
    labelNames: ['queue'],
    registers: [registry],
  })
  for (const queue of queues) ended.inc({ queue }, 0)
  return (queue) => ended.inc({ queue })
}
