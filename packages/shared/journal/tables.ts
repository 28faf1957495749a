// The journal's tables as TypeScript sees them; `migrations.ts` makes them. Times are UTC, bodies gzip.

export type Tables = {
  deliveries: {
    id: string
    received_at: Date
    kind: string
    action: string | null
    project: string | null
    iid: number | null
    headers: string
    body: Buffer
  }
  decisions: { delivery: string; sink: string; reason: string | null }
  effects: {
    id: string
    delivery: string
    sink: string
    order_key: string
    state: 'planned' | 'done' | 'nothing' | 'dead'
    reason: string | null
    link: string | null
    made: string | null
    attempts: number
    since: Date
    ended_at: Date | null
  }
  acts: { at: Date; who: string; verb: string; reason: string; details: string; count: number }
}
