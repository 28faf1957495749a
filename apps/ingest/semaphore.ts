// Lets a few go at a time; the others wait for their turn.

/**
 * A function that runs what it is given, at most `most` at a time, in the order in which they came. With `patienceMs`,
 * whoever has waited for so long goes without a turn.
 */
export function semaphore(most: number, patienceMs?: number): <T>(run: () => Promise<T>) => Promise<T> {
  const waiting: Array<() => void> = []
  let free = most

  // Whether there was a turn, which must be passed on then.
  function turn(): Promise<boolean> {
    if (free > 0) {
      free -= 1
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(late)
        resolve(true)
      }
      const goAnyway = () => {
        waiting.splice(waiting.indexOf(go), 1)
        resolve(false)
      }
      const late = patienceMs === undefined ? undefined : setTimeout(goAnyway, patienceMs)
      waiting.push(go)
    })
  }

  function pass(): void {
    const next = waiting.shift()
    if (next) next()
    else free += 1
  }

  return async function inTurn(run) {
    const isTurn = await turn()
    try {
      return await run()
    } finally {
      if (isTurn) pass()
    }
  }
}
