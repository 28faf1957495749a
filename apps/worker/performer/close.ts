// How workers stop.
import type { Worker } from 'bullmq'

const patienceMs = 4000

/** Closes `workers`: takes no further jobs, waits a while for those under way, then has them handed back. */
export async function close(workers: Array<Pick<Worker, 'close'>>, stopping: AbortController): Promise<void> {
  const late = setTimeout(() => stopping.abort(), patienceMs)
  await Promise.all(workers.map((worker) => worker.close()))
  clearTimeout(late)
}
