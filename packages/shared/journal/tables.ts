// The journal's tables as TypeScript sees them; `migrations.ts` makes them. Times are UTC, bodies gzip, `error` is the
// fingerprint of a dead letter's reason.
import type { Generated } from 'kysely'

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
  /** The words of a delivery's title and user name, in lower case: by them it is found. */
  words: { word: string; received_at: Date; delivery: string }
  bodies: { delivery: string; headers: string; body: Buffer }
  /** What was published of a delivery, compressed, of how many bytes, by which rules, and what it is about. */
  messages: { delivery: string; rules: number; about: string | null; bytes: number; message: Buffer }
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
    /** Of the delivery: by these effects are found without looking at it. */
    received_at: Date
    kind: string
    project: string | null
    ended_at: Date | null
  }
  /** Attempts that failed; the last one of a dead letter included. */
  attempts: { effect: string; at: Date; number: number; ms: number; reason: string }
  acts: { id: Generated<number>; at: Date; who: string; verb: string; reason: string; details: string; count: number }
  /** `choosing` until what was chosen is frozen in `replay_effects`; `stopped` says why a replay ended early. */
  replays: {
    id: Generated<number>
    at: Date
    who: string
    reason: string
    rate: number
    selection: string
    state: 'choosing' | 'going' | 'interrupted' | 'stopped' | 'done'
    stopped: string | null
    chosen: number
    act: number | null
  }
  /**
   * The dead letters of a replay by `number`, in the order of their events; `died` is when each had become one. Null until
   * its turn has come; `left` when it was no dead letter any more, `lost` when nothing could be made of it.
   */
  replay_effects: {
    number: Generated<number>
    replay: number
    effect: string
    died: Date | null
    outcome: 'back' | 'done' | 'failed' | 'left' | 'lost' | null
  }
  /** When something was last: that a write was tried (`health`), and that Redis is known (`redis`). */
  marks: { name: string; at: Date }
}
