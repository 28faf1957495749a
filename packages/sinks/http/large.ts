// Large answers of all remotes go one after another: each takes several times its size while it is read, and the heap is
// small.
type Turn = () => void

/** An answer becomes large with this many bytes. */
export const largeBytes = 256 * 1024

let last: Promise<void> = Promise.resolve()

/** Waits for its turn. Answers a function to call when it is over. Throws the signal's reason when that aborts first. */
export async function turnOfLarge(signal: AbortSignal): Promise<Turn> {
  const before = last
  const { promise, resolve } = Promise.withResolvers<void>()
  last = before.then(() => promise)
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('given up'))
  signal.addEventListener('abort', onAbort)
  try {
    await Promise.race([before, aborted])
    return resolve
  } catch (error) {
    resolve()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
