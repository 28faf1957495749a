// Counts what goes wrong between this process and Redis: refused and broken connections, time-outs of connecting.
import { Counter } from 'prom-client'
import type { Registry } from '#shared/process/metrics.ts'
import type { Redis } from './redis.ts'

/** Counts the errors of `connections` in `metrics`, from now on. A command that fails on a living connection is not among them. */
export function countRedisErrors(connections: Redis[], metrics: Registry): void {
  const errors = new Counter({
    name: 'gitlab_webhooks_redis_errors_total',
    help: 'Connections to Redis that were refused or broke.',
    registers: [metrics],
  })
  for (const connection of connections) connection.on('error', () => errors.inc())
}
