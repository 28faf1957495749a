// Whether all is well, for monitoring: one word, and why in one line. What stands still for everybody is broken; what waits,
// was lost, or needs somebody is degraded.
import { span } from '../print.ts'
import type { Status } from './status.ts'

export type Verdict = { state: 'ok' | 'degraded' | 'broken'; why: string[] }

const stallSeconds = 600

/** The verdict on `now`; `why` has the cause first. */
export function verdict(now: Status): Verdict {
  const broken = whatIsBroken(now)
  const degraded = whatIsDegraded(now)
  const why = [...broken, ...degraded]
  if (why.length === 0) return { state: 'ok', why: [allIsWell(now)] }
  return { state: broken.length > 0 ? 'broken' : 'degraded', why }
}

function whatIsBroken({ redis, spool, processes }: Status): string[] {
  const kept = spool && spool.deliveries > 0 ? `: ${spool.deliveries} deliveries wait in the spool` : ''
  if (redis.state === 'down') return [`${(redis.reason ?? '').replace(/\.$/, '')}${kept}`]
  return (['ingest', 'worker'] as const).flatMap((app) => {
    const those = processes.filter((one) => one.app === app)
    if (those.some(({ silent }) => !silent)) return []
    const what = app === 'ingest' ? 'deliveries are lost' : 'deliveries wait'
    return `${those.length === 0 ? `no ${app} has been seen within the last minute` : `every ${app} is silent`}: ${what}`
  })
}

function whatIsDegraded({ redis, database, losses, queues, processes, spool, silence, token }: Status): string[] {
  return [
    ...losses.map(({ message }) => message),
    ...(database.state === 'down' ? [database.reason ?? 'the database is down'] : []),
    ...queues.flatMap(({ id, held, paused, pausedBy, waiting, lag }) => {
      if (held) return `${id} is on hold${held.refused ? ', its credential is refused' : ''}: ${held.reason}`
      if (paused) return `${id} is paused${pausedBy ? ` by ${pausedBy.who}: ${pausedBy.reason}` : ''}`
      return waiting > 0 && lag > stallSeconds ? `the oldest job of ${id} has waited ${span(lag)}, and nothing holds it` : []
    }),
    ...processes.filter(({ silent }) => silent).map(({ app, pid, host }) => `${app} ${pid} on ${host} is silent`),
    ...(redis.state === 'up' && spool && spool.deliveries > 0 ? [`${spool.deliveries} deliveries wait in the spool`] : []),
    ...(spool?.unreadable ? [`spool files that cannot be read: ${spool.unreadable.files}`] : []),
    ...(token?.active === false ? ["GitLab's token is expired or revoked"] : []),
    ...(silence && silence.seconds > silence.usualSeconds
      ? [`no delivery for ${span(silence.seconds)}, usual is at most ${span(silence.usualSeconds)}`]
      : []),
  ]
}

function allIsWell({ processes, lastDelivery }: Status): string {
  const count = (app: string) => processes.filter((one) => one.app === app).length
  return `${count('ingest')} ingest, ${count('worker')} worker, last delivery ${lastDelivery?.at ?? 'none'}`
}
