// `import`: accepts the deliveries of a `LOG_EVENTS_TO` file. Repeats are no-ops: what is known already stays as it is,
// and every effect looks at its remote before it acts.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Delivery, deliverySchema } from '#shared/delivery.ts'
import { readJson } from '#shared/json.ts'
import { handIn } from '../hand-in.ts'
import type { Place } from '../place.ts'

export type Imported = { imported: number; bad: Array<{ line: number; reason: string }> }

/** Imports the file at `path`. Lines that are no deliveries are told, and left out. Throws when it cannot be read. */
export async function importFile(place: Place, path: string, reason: string): Promise<Imported> {
  const bad: Imported['bad'] = []
  const imported = await handIn(place.queues.deliveries, deliveriesIn(path, bad))
  await place.record('import', reason, { file: path, bad: bad.length }, imported)
  return { imported, bad }
}

async function* deliveriesIn(path: string, bad: Imported['bad']): AsyncGenerator<Delivery> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (line.trim() === '') continue
    const delivery = deliverySchema.safeParse(readJson(line))
    if (delivery.success) yield { ...delivery.data, again: true, origin: 'imported' }
    else bad.push({ line: number, reason: 'expected an object with id, receivedAt, headers and body' })
  }
}
