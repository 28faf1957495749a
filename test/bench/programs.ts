// Starts programs of this directory: baselines, which say on which port they listen, and readers, which say when they are open.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { onLeash } from '../support/leashed.ts'

export type Program = { pid: number; port: number; stop: () => Promise<void> }

const signSchema = z.object({ pid: z.number(), port: z.number() })

/** Runs `test/bench/<name>.ts` with nothing in its environment but PATH and `environment`, until it listens; `flags` are for Node. */
export async function startProgram(name: string, environment: Record<string, string>, flags: string[] = []): Promise<Program> {
  const child = onLeash(process.execPath, [...flags, new URL(`${name}.ts`, import.meta.url).pathname], {
    env: { PATH: process.env.PATH, ...environment },
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  for await (const line of createInterface({ input: child.stdout })) {
    const { pid, port } = signSchema.parse(JSON.parse(line))
    const exit = once(child, 'exit')
    return {
      pid,
      port,
      async stop() {
        process.kill(pid, 'SIGTERM')
        await exit
      },
    }
  }
  throw new Error(`${name} ended before it listened. ${complaint}`)
}

/** Runs the module at `path`, whose readers follow `plan`, until they are all open; `complaint` is what it said of errors. */
export async function startReading(path: string, plan: object) {
  const child = onLeash(process.execPath, [path, JSON.stringify(plan)])
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const lines = createInterface({ input: child.stdout })
  await Promise.race([once(lines, 'line'), once(child, 'exit')])
  if (child.exitCode !== null) throw new Error(`The readers could not all be opened. ${complaint}`)
  return { child, lines, complaint: () => complaint }
}
