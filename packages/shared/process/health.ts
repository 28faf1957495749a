// What other machines ask about this process: does it live, can it do its work, what has it counted.
import { setTimeout as pause } from 'node:timers/promises'
import { Hono } from 'hono'
import { Gauge } from 'prom-client'
import { metricsText, type Registry } from './metrics.ts'

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
  app.get('/metrics', async (c) => c.text(await metricsText(metrics), 200, { 'content-type': metrics.contentType }))
  return app
}

// Whoever asks has 3 s, as a probe of Kubernetes does by our example.
const patienceMs = 2500

/** `probe`, asked once for all who ask at a time, and down when it does not answer in 2.5 s. Shown as `gitlab_webhooks_<name>_up`. */
export function watched(name: 'redis' | 'database', probe: Probe, metrics: Registry): Probe {
  let current: ReturnType<Probe> | undefined
  let downSince: number | undefined
  const late = async () => {
    await pause(patienceMs, undefined, { ref: false })
    return { state: 'down' as const, reason: `no answer within ${patienceMs / 1000} s` }
  }
  async function look(): ReturnType<Probe> {
    const said = await Promise.race([probe(), late()])
    downSince = said.state === 'up' ? undefined : (downSince ?? Date.now())
    return said
  }
  const ask: Probe = () => (current ??= look().finally(() => (current = undefined)))
  gauge(`${name}_up`, `1 when the ${name} takes what this process writes, 0 when it does not.`, async () =>
    (await ask()).state === 'up' ? 1 : 0,
  )
  gauge(`${name}_down_seconds`, 'For how long it has been seen not to; 0 when it does.', async () => {
    await ask()
    return downSince === undefined ? 0 : (Date.now() - downSince) / 1000
  })
  return ask

  function gauge(last: string, help: string, value: () => Promise<number>): void {
    new Gauge({
      name: `gitlab_webhooks_${last}`,
      help,
      registers: [metrics],
      async collect() {
        this.set(await value())
      },
    })
  }
}
