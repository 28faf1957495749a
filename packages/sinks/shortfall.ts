// What outcomes say where a remote let us do less than was due: no failure that could be replayed, so a metric counts them, and
// the doctor tells how many there were.

/** `begins` is how the reason begins, of effects that ended in `state`; `name` is its label, `id` names the doctor's finding. */
export type Shortfall = { name: string; id: string; state: 'done' | 'nothing'; begins: string; remedy: string }
