// A delivery as the journal has it, as a delivery again.
import { type Delivery, originOf } from '#shared/event/delivery.ts'
import { bodyOf } from './body.ts'
import { readHeaders } from './headers.ts'

/** What of `deliveries` and `bodies` is needed; without `headers` the delivery has none. */
export type StoredDelivery = { id: string; received_at: Date; origin: string; headers?: string; body: Buffer }

/** The delivery as it came. Rejects when its body cannot be read. */
export async function deliveryFrom({ id, received_at, origin: word, headers, body }: StoredDelivery): Promise<Delivery> {
  const origin = originOf(word)
  return {
    id,
    receivedAt: received_at.toISOString(),
    headers: headers === undefined ? {} : readHeaders(headers),
    body: await bodyOf(body),
    ...(origin !== undefined && { origin }),
  }
}
