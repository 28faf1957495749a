// The words in which a declaration says how its effects are performed.

/**
 * Whether an effect may be performed again when nobody knows whether it has been. `look`: it may, since performing finds what
 * was made. `at-least-once`: it may, and is made twice then. `at-most-once`: it is not, once its call has been begun.
 */
export type Repeat = 'look' | 'at-most-once' | 'at-least-once'

/** Effects with the same `order` run in sequence, others beside them; or all of the sink one after another. */
export type Order = 'lane' | 'one-by-one'

/** This sink belongs to another, is on with it, and off as well while a variable it needs is missing: `without` says what is lost then. */
export type PartOf = { sink: string; without: string }

/** Effects wait, a minute at most, for those planned earlier in the lane `order` (of theirs) of another sink; `known` completes "before it is known …". */
export type WaitsFor = { sink: string; order: (order: string) => string; known: string }
