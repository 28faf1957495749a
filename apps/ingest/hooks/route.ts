// `POST /hooks`: authenticate, read, write down, answer. 202 is said only when the delivery is durable; GitLab sends
// each event once and never again.
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { Counter } from 'prom-client'
import { type Delivery, deliveryId, keepHeaders, kindOf } from '#shared/event/delivery.ts'
import { inWords } from '#shared/process/errors.ts'
import { readObject } from '#shared/process/json.ts'
import type { Log } from '#shared/process/log.ts'
import { kindLabel, type Registry } from '#shared/process/metrics.ts'
import { inSpan } from '#shared/process/spans.ts'
import { semaphore } from '../semaphore.ts'
import type { Admitted, HookRefusal } from './admit.ts'
import { bytesOf, textOf } from './body.ts'

/** Resolves once the delivery is durable. */
export type Accept = (delivery: Delivery) => Promise<void>

type Parts = {
  admit: (bindings: HttpBindings) => Promise<Admitted | HookRefusal>
  accept: Accept
  /** Told of each delivery that could not be kept. */
  onLost: () => void
  log: Log
  metrics: Registry
}

// While it is read and kept a body takes many times its size in memory, so bodies above this size go one after another. They
// still wait a bounded time only: GitLab must have its answer within 2 s, however slow Redis is.
const largeBytes = 1024 * 1024
const turnMs = 500

export function hooks({ admit, accept, onLost, log, metrics }: Parts) {
  const deliveries = new Counter({
    name: 'gitlab_webhooks_deliveries_total',
    help: 'Requests to POST /hooks by event kind and status of the answer.',
    labelNames: ['kind', 'status'],
    registers: [metrics],
  })

  const inTurn = semaphore(1, turnMs)

  // Node's own headers: asking Hono for one makes a whole Headers object of them.
  return async function takeDelivery(c: Context<{ Bindings: HttpBindings }>) {
    const { incoming } = c.env
    const answer = (status: 202 | HookRefusal['status'], body: object, kind = 'unread', headers?: Record<string, string>) => {
      deliveries.inc({ kind, status })
      return c.json(body, status, headers)
    }

    const admitted = await admit(c.env)
    if (admitted.status !== undefined) return answer(admitted.status, { error: admitted.error }, 'unread', admitted.headers)
    const { isSigned } = admitted
    const bytes = bytesOf(admitted.body)
    return bytes.length > largeBytes ? await inTurn(() => keep(bytes)) : await keep(bytes)

    async function keep(bytes: Buffer) {
      const body = textOf(bytes)
      const object = body === undefined ? undefined : readObject(body)
      if (body === undefined || object === undefined) return answer(400, { error: 'The body is not a JSON object.' })

      const kind = kindOf(object)
      const headers = keepHeaders(incoming.headers, { isSigned })
      const canary = kind === 'canary' ? { origin: 'canary' as const } : {}
      const delivery = { id: deliveryId(headers, body, kind), receivedAt: new Date().toISOString(), headers, body, ...canary }
      try {
        const attributes = { delivery: delivery.id, kind: kindLabel(kind) }
        await inSpan('receive', { attributes }, ({ carried }) => accept({ ...delivery, ...carried }))
      } catch (error) {
        onLost()
        log.error({ delivery: delivery.id, kind, reason: inWords(error) }, 'not kept')
        return answer(503, { error: 'The delivery could not be kept. Nothing was.' }, kindLabel(kind), { 'retry-after': '5' })
      }
      log.debug({ delivery: delivery.id, kind, bytes: bytes.length }, 'received')
      return answer(202, { id: delivery.id }, kindLabel(kind))
    }
  }
}
