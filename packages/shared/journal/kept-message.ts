// What was published of a delivery, kept beside its body: so that the feed's history need not be made anew from that as long as
// the rules are the same.
import { z } from 'zod'
import { type Effect, feedOrder } from '#shared/event/effect.ts'
import type { GitLabEvent } from '#shared/event/event.ts'
import { messageRules } from '#shared/event/message.ts'
import { whyPrivate } from '#shared/event/privacy.ts'
import { compress } from './compress.ts'

/** A message as gzip in base64, by which rules it was made, of how many bytes, and what it is about, as it stands in the relay. */
export const keptMessageSchema = z.object({ rules: z.number(), about: z.string().optional(), bytes: z.number(), text: z.base64() })

const publishedSchema = z.object({ message: z.string(), about: z.string().optional() })

/** The message among the effects of `event`. Undefined where there is none, or one that is not for everybody, as `FEED_PRIVATE` publishes it. */
export async function keptMessageOf(event: GitLabEvent, effects: Effect[]): Promise<z.output<typeof keptMessageSchema> | undefined> {
  const published = publishedSchema.safeParse(effects.find(({ order }) => order === feedOrder)?.data)
  if (!published.success || whyPrivate(event, false) !== undefined) return undefined
  const { message, about } = published.data
  const text = (await compress(message)).toString('base64')
  return { rules: messageRules, ...(about !== undefined && { about }), bytes: Buffer.byteLength(message), text }
}
