// Deliveries in the journal as the router and the performers leave them, for tests that run no worker.
import { gzipSync } from 'node:zlib'
import { type Effect, effectsOf } from '#shared/event/effect.ts'
import type { Database } from '#shared/journal/database.ts'
import type { DeliveryEntry, EndedEntry } from '#shared/journal/entry.ts'
import { writeEntries } from '#shared/journal/write.ts'
import type { JsonObject } from '#shared/process/json.ts'
import { hook } from './fixtures.ts'
import { isObject } from './objects.ts'
import { eventOf, plansOf } from './plans.ts'

let count = 0
/** When the first of them came. */
export const start = Date.now() - 3_600_000

/** Writes deliveries of `given` into the journal, one a second, as the router decides on the first ten; their ids. */
export async function record(database: Database, ...given: object[]): Promise<string[]> {
  const entries = given.map((body, index): DeliveryEntry => {
    const id = `delivery-${count++}`
    const event = eventOf(body)
    const plans = index < 10 ? [...plansOf(body)] : []
    const cause = { delivery: id, since: event.since }
    return {
      type: 'delivery',
      id,
      receivedAt: new Date(start + count * 1000).toISOString(),
      headers: {},
      body: gzipSync(JSON.stringify(body)).toString('base64'),
      kind: event.kind,
      ...(event.action !== undefined && { action: event.action }),
      ...(event.project && { project: event.project.path }),
      ...(event.mergeRequest && { iid: event.mergeRequest.iid, title: event.mergeRequest.title }),
      ...(event.username !== undefined && { username: event.username }),
      decisions: plans.map(([sink, plan]) => ({ sink, ...(!Array.isArray(plan) && { reason: plan.nothing }) })),
      effects: plans.flatMap(([, plan]) => (Array.isArray(plan) ? effectsOf(plan, cause).map(withoutData) : [])),
      routed: true,
    }
  })
  await writeEntries(database, entries)
  return entries.map(({ id }) => id)
}

function withoutData({ id, delivery, sink, order, since }: Effect): DeliveryEntry['effects'][number] {
  return { id, delivery, sink, order, since }
}

/** Writes how the effect `<delivery>/<sink>/<about>` ended. */
export async function end(database: Database, id: string, outcome: Pick<EndedEntry, 'state' | 'reason' | 'link'>): Promise<void> {
  const [delivery = '', sink = ''] = id.split('/')
  const effect = { id, delivery, sink, order: 'x', since: new Date(start).toISOString() }
  await writeEntries(database, [{ type: 'ended', effect, attempts: 1, endedAt: new Date().toISOString(), ...outcome }])
}

/** The body of a merge request of the project `path`, with other attributes. */
export function about(path: string, iid: number, attributes: JsonObject = {}, body = hook('merge-request-open')): JsonObject {
  const project = isObject(body.project) ? { ...body.project, path_with_namespace: path } : body.project
  if (!isObject(body.object_attributes) || project === undefined) throw new Error('It is not about a merge request.')
  return { ...body, project, object_attributes: { ...body.object_attributes, iid, ...attributes } }
}
