// The feed's share of the event loop. What it has to do for readers who catch up is done a little in each turn, over all of
// them; whatever else has come, hooks first of all, is done in between.

/** Does `work` when its time has come, and resolves with what it answers. */
export type InSlice = <T>(work: () => T) => Promise<T>

const sliceMs = 2

export function openSlices(): InSlice {
  let waiting: Array<() => void> = []
  let isRunning = false

  function run(): void {
    const due = waiting
    waiting = []
    const end = performance.now() + sliceMs
    let done = 0
    while (done < due.length && (done === 0 || performance.now() < end)) due[done++]?.()
    waiting = [...due.slice(done), ...waiting]
    isRunning = waiting.length > 0
    if (isRunning) setImmediate(run)
  }

  return function inSlice(work) {
    return new Promise((resolve, reject) => {
      waiting.push(() => {
        try {
          resolve(work())
        } catch (error) {
          reject(error)
        }
      })
      if (!isRunning) setImmediate(run)
      isRunning = true
    })
  }
}
