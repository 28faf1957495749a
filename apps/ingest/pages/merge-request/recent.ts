// What was looked up a moment ago is told again: however many ask, one thing is looked up at a time, and each once in some
// seconds. While it cannot be looked up, what was known before is told.
import { Unavailable } from '#shared/process/errors.ts'
import { semaphore } from '../../semaphore.ts'

type Parts<T> = {
  load: (key: string) => Promise<T>
  /** What is known counts no more when this has changed. */
  version: () => unknown
  sizeOf: (value: T) => number
  patienceMs?: number
}

const freshMs = 5000
const keepMs = 5 * 60_000
const usualPatienceMs = 5000
const mostWaiting = 50
const mostKept = 500
const mostBytes = 16 * 1024 * 1024

/** Looks up what `key` stands for, or knows it. Rejects with `Unavailable` when too many ask, or it takes more than 5 s. */
export function recently<T>({ load, version, sizeOf, patienceMs = usualPatienceMs }: Parts<T>): (key: string) => Promise<T> {
  const known = new Map<string, { value: T; at: number; version: unknown; size: number }>()
  const underWay = new Map<string, Promise<T>>()
  const inTurn = semaphore(1)
  let bytes = 0

  function keep(key: string, value: T, at: unknown): void {
    forget(key)
    const size = sizeOf(value) + 2 * key.length
    known.set(key, { value, at: Date.now(), version: at, size })
    bytes += size
    for (const [oldest] of known) {
      if (known.size <= mostKept && bytes <= mostBytes) return
      forget(oldest)
    }
  }

  function forget(key: string): void {
    bytes -= known.get(key)?.size ?? 0
    known.delete(key)
  }

  async function ask(key: string): Promise<T> {
    if (underWay.size >= mostWaiting) throw new Unavailable('Too many ask at once.')
    const asked = inTurn(async () => {
      const at = version()
      const value = await load(key)
      keep(key, value, at)
      return value
    }).finally(() => underWay.delete(key))
    underWay.set(key, asked)
    return await asked
  }

  return async function tell(key) {
    const before = known.get(key)
    const old = before && before.version === version() && Date.now() - before.at < keepMs ? before : undefined
    if (old && Date.now() - old.at < freshMs) return old.value
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Unavailable('It takes too long to look it up.')), patienceMs)
    try {
      return await Promise.race([underWay.get(key) ?? ask(key), late])
    } catch (error) {
      if (old) return old.value
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}
