import type { Link } from '#shared/queue/relay.ts'

/** The place where the message of a delivery was published once, as far as the journal knows and can be asked. */
export type PublishedAt = (delivery: string) => Promise<Link | undefined>
