// Starts a program of this directory that says on which port it listens, as the baselines do.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { onLeash } from '../support/leashed.ts'

export type Program = { pid: number; port: number; stop: () => Promise<void> }

const signSchema = z.object({ pid: z.number(), port: z.number() })

/** Runs `test/bench/<name>.ts` with nothing in its environment but PATH and `environment`, until it listens. */
export async function startProgram(name: string, environment: Record<string, string>): Promise<Program> {
  const child = onLeash(process.execPath, [new URL(`${name}.ts`, import.meta.url).pathname], {
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
