// By what deliveries and effects are chosen.

export const states = ['planned', 'done', 'nothing', 'dead', 'discarded'] as const

/** All that is given must fit. Of `project` a `*` stands for anything; `id` is a delivery's, or how ids begin; `effect` is the id of a single effect. */
export type Filters = {
  sink?: string | undefined
  kind?: string | undefined
  project?: string | undefined
  mr?: { project: string; iid: number } | undefined
  task?: number | undefined
  state?: (typeof states)[number] | undefined
  error?: string | undefined
  since?: Date | undefined
  until?: Date | undefined
  id?: string | undefined
  text?: string | undefined
  limit?: number | undefined
  effect?: string
}
