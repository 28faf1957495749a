// What other machines ask about this process: does it live, can it do its work, what has it counted.
import { Hono } from 'hono'
import type { Registry } from './metrics.ts'

/** Whether one dependency works now; rejects or answers `down` when not. */
export type Probe = () => Promise<{ state: 'up' | 'down'; [detail: string]: string | number }>

type Parts = { probes: Record<string, Probe>; enough: 'all' | 'any'; metrics: Registry }

/**
 * Routes for `/healthz`, `/readyz` and `/metrics`. Ready (200) when `all` dependencies are up, or when `any` of them is
 * where one stands in for the other: then it is `degraded` as long as one is down.
 */
export function health({ probes, enough, metrics }: Parts): Hono {
  const app = new Hono()
  app.get('/healthz', (c) => c.json({ state: 'alive' }))
  app.get('/readyz', async (c) => {
    const states = await Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await probe()] as const))
    const up = states.filter(([, { state }]) => state === 'up').length
    const ready = enough === 'all' ? up === states.length : up > 0
    const state = up === states.length ? 'ready' : ready ? 'degraded' : 'not ready'
    return c.json({ state, ...Object.fromEntries(states) }, ready ? 200 : 503)
  })
  app.get('/metrics', async (c) => c.text(await metrics.metrics(), 200, { 'content-type': metrics.contentType }))
  return app
}
