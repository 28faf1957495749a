// What it means that a process is silent, and whether the next one may be restarted.
import type { Presence } from '#shared/queue/presence.ts'
import type { SpoolState } from './spools.ts'

/** Who does the work of `one`, which is silent, among `all`. */
export function takenOver(one: Presence, all: Presence[]): string {
  const isOther = all.some(({ id, app, silent }) => id !== one.id && app === one.app && !silent)
  if (one.app === 'worker') return isOther ? 'its work was taken over' : 'nobody does its work'
  return isOther ? 'others take its deliveries, and after half a minute its spool' : 'nobody takes deliveries'
}

/** What to do about one that is silent. */
export const whatToDo = 'Is it frozen, or its machine? It goes on by itself when it can; else kill it, and start another.'

type Standing = { redis: { state: 'up' | 'down' }; processes: Presence[]; spool: SpoolState | null }
export type NextRestart = { may: boolean; why: string | null }

/** Whether in a rolling restart the next process may be taken, and else what to wait for. */
export function nextRestart({ redis, processes, spool }: Standing): NextRestart {
  const silent = processes.find((one) => one.silent)
  const count = (app: string) => processes.filter((one) => one.app === app).length
  const reasons: Array<[is: boolean, why: string]> = [
    [redis.state === 'down', 'Redis takes no writes'],
    [silent !== undefined, `${silent?.app} ${silent?.pid} on ${silent?.host} is silent`],
    [count('ingest') < 2, `${count('ingest')} ingest: while the only one restarts nobody takes deliveries`],
    [count('worker') < 2, `${count('worker')} worker: while the only one restarts nothing is done`],
    [spool === null || spool.deliveries > 0, `${spool?.deliveries ?? 'unknown'} deliveries wait in the spool`],
  ]
  const why = reasons.find(([is]) => is)?.[1] ?? null
  return { may: why === null, why }
}
