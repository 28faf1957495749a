// The journal's tables as TypeScript sees them; `migrations.ts` makes them. Times are UTC, bodies gzip, `error` is the
// fingerprint of a dead letter's reason.

export type Tables = {
  deliveries: {
    id: string
    received_at: Date
    kind: string
    action: string | null
    project: string | null
    iid: number | null
    username: string | null
    title: string | null
    /** How it came: by a hook, or handed in by an operator or the service itself. */
    origin: string
  }
  bodies: { delivery: string; headers: string; body: Buffer }
  /** The feed's messages by cursor, `time`-`number`; `previous` is the cursor of the message before, when that is known. */
  feed: { time: number; number: number; delivery: string; previous: string | null }
  decisions: { delivery: string; sink: string; reason: string | null }
  effects: {
    id: string
    delivery: string
    sink: string
    order_key: string
    task: number | null
    state: 'planned' | 'done' | 'nothing' | 'dead' | 'discarded'
    reason: string | null
    error: string | null
    link: string | null
    made: string | null
    attempts: number
    since: Date
    ended_at: Date | null
  }
  /** Attempts that failed; the last one of a dead letter included. */
  attempts: { effect: string; at: Date; number: number; ms: number; reason: string }
  acts: { at: Date; who: string; verb: string; reason: string; details: string; count: number }
}
