// What other machines ask about this process: does it live, can it do its work, what has it counted.
import { Hono } from 'hono'
import type { Registry } from './metrics.ts'

/** Whether one dependency works now; rejects or answers `down` when not. */
export type Probe = () => Promise<{ state: 'up' | 'down'; [detail: string]: string }>

/** Routes for `/healthz`, `/readyz` (503 when a dependency in `probes` is down) and `/metrics`. */
export function health({ probes, metrics }: { probes: Record<string, Probe>; metrics: Registry }): Hono {
  const app = new Hono()
  app.get('/healthz', (c) => c.json({ state: 'alive' }))
  app.get('/readyz', async (c) => {
    const states = await Promise.all(Object.entries(probes).map(async ([name, probe]) => [name, await probe()] as const))
    const ready = states.every(([, { state }]) => state === 'up')
    return c.json({ state: ready ? 'ready' : 'not ready', ...Object.fromEntries(states) }, ready ? 200 : 503)
  })
  app.get('/metrics', async (c) => c.text(await metrics.metrics(), 200, { 'content-type': metrics.contentType }))
  return app
}
