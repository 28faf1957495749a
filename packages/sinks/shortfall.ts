// What outcomes say where a remote let us do less than was due, and nobody is to blame for a single one: the doctor tells how
// many there were.

/** `begins` is how the reason begins, of effects that ended in `state`; `id` names the doctor's finding. */
export type Shortfall = { id: string; state: 'done' | 'nothing'; begins: string; remedy: string }
