// When each remote was asked last by this process, and what came of it. One for the whole process, as what is asked is outside.

export type LastUse = { at: string; trouble: string | null }

const uses = new Map<string, LastUse>()

/** The remote was asked just now; `trouble` says why it could not answer. */
export function noteUse(remote: string, trouble: string | null): void {
  uses.set(remote, { at: new Date().toISOString(), trouble })
}

/** All of them by the names of the remotes, which are few. */
export function lastUses(): Record<string, LastUse> {
  return Object.fromEntries(uses)
}
