// What Linux tells about a process: its memory, its CPU time, how many files it may open.
import { readFile, writeFile } from 'node:fs/promises'

/** The memory that processes have now, in bytes. */
export async function memoryOf(...pids: number[]): Promise<number> {
  return sum(await Promise.all(pids.map((pid) => statusOf(pid, 'VmRSS'))))
}

/** Watches the memory of a process: what is answered tells by how many bytes it has grown since, at its largest. */
export async function watchGrowth(pid: number): Promise<() => Promise<number>> {
  await writeFile(`/proc/${pid}/clear_refs`, '5') // the largest size begins anew
  const before = await memoryOf(pid)
  return async () => (await statusOf(pid, 'VmHWM')) - before
}

/** The most memory that a process has ever had, in bytes. */
export async function peakOf(pid: number): Promise<number> {
  return await statusOf(pid, 'VmHWM')
}

async function statusOf(pid: number, field: string): Promise<number> {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** The CPU time that processes have used, in ms. */
export async function cpuOf(...pids: number[]): Promise<number> {
  return sum(await Promise.all(pids.map(cpuOfOne)))
}

async function cpuOfOne(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

const others = 200

/** Throws when a process may not open `connections`, and what else it needs. Node.js has raised the limit to the hard one. */
export async function needConnections(connections: number): Promise<void> {
  const limit = Number(/^Max open files +(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? Number.POSITIVE_INFINITY)
  const needed = connections + others
  if (needed > limit)
    throw new Error(
      `${connections} readers need ${needed} open files in one process, and the hard limit is ${limit}: ` +
        `run this where 'ulimit -Hn ${needed}' is allowed, or with fewer readers.`,
    )
}
