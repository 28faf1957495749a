// How the spool shows from outside: `/readyz` and metrics.
import { statfs } from 'node:fs/promises'
import { Gauge } from 'prom-client'
import type { Probe } from '#shared/process/health.ts'
import type { Registry } from '#shared/process/metrics.ts'
import type { Spool } from './spool.ts'

/** Down when the disk could not be written the last time. */
export function spoolProbe(spool: Spool): Probe {
  return () => {
    const { deliveries, bytes, since, trouble } = spool.state()
    const kept = { deliveries, bytes, ...(since !== undefined && { since: new Date(since).toISOString() }) }
    return Promise.resolve(trouble === undefined ? { state: 'up', ...kept } : { state: 'down', ...kept, reason: trouble })
  }
}

/** How many bytes are free for the spool in `directory`; undefined when nobody can say. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  const room = await statfs(directory).catch(() => undefined)
  return room && room.bavail * room.bsize
}

/** Counts what waits in the spool in `directory`. */
export function watchSpool(spool: Spool, directory: string, registry: Registry): void {
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `gitlab_webhooks_spool_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('deliveries', 'Deliveries that wait in the spool of this process.', () => spool.state().deliveries)
  gauge('bytes', 'Bytes of the files they are in, with those that dead processes left.', () => spool.state().bytes)
  gauge('age_seconds', 'For how long the oldest of them has been waiting.', () => (Date.now() - (spool.state().since ?? Date.now())) / 1000)
  gauge('unreadable_files', 'Files there that cannot be read, and are tried again.', () => spool.state().unreadable?.files ?? 0)
  gauge('writable', '1 when the disk took the last delivery, 0 when it did not.', () => (spool.state().trouble === undefined ? 1 : 0))
  new Gauge({
    name: 'gitlab_webhooks_spool_free_bytes',
    help: 'How much room the disk of the spool has left.',
    registers: [registry],
    async collect() {
      this.set((await freeBytes(directory)) ?? Number.NaN)
    },
  })
}
