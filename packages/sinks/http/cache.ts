// Answers of a remote that may be a little old.
type Ask<T> = (key: string, signal: AbortSignal) => Promise<T>

/** `ask`, with answers kept for `ms`, at most `most` of them; the oldest go first. Failures are not kept. */
export function cached<T>(ask: Ask<T>, { ms = 600_000, most = 1000 } = {}): Ask<T> {
  const kept = new Map<string, { answer: T; until: number }>()
  return async function lookUp(key, signal) {
    const known = kept.get(key)
    if (known && Date.now() < known.until) return known.answer
    const answer = await ask(key, signal)
    kept.delete(key)
    kept.set(key, { answer, until: Date.now() + ms })
    const [oldest] = kept.keys()
    if (kept.size > most && oldest !== undefined) kept.delete(oldest)
    return answer
  }
}
