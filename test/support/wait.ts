// How long somebody waits for a process, and how much of that is its own doing. On a busy machine the rest is the doing of others.
import { cpuOf } from '../bench/processes.ts'

/** In ms; `workedMs` is the processor time that the process has had meanwhile, where the system tells that. */
export type Wait = { ms: number; workedMs: number }

/** How long `work` takes, which waits for the process `pid`. */
export async function waitOf(pid: number, work: () => Promise<unknown>): Promise<Wait> {
  const worked = () => (process.platform === 'linux' ? cpuOf(pid) : Promise.resolve(performance.now()))
  const before = await worked()
  const began = performance.now()
  await work()
  const ms = performance.now() - began
  return { ms: Math.round(ms), workedMs: Math.round(Math.min(ms, (await worked()) - before)) }
}

/** What is promised to a sender: less than two seconds, on a machine that has time for the service. Twenty are too many on any. */
export function isInTime({ ms, workedMs }: Wait): boolean {
  return workedMs < 2000 && ms < 20_000
}
