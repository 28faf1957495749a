// The processes that have a mark in their environment.
import { readdir, readFile } from 'node:fs/promises'

/** Their ids, on Linux. */
export async function processesOf(mark: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
      return environment.includes(mark) ? [pid] : []
    }),
  )
  return found.flat()
}
