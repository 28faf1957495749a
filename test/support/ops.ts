// The operator's command line, as it is typed.
import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { z } from 'zod'
import { bareEnvironment } from './bare.ts'
import { keepFromOutliving } from './leashed.ts'
import type { Environment } from './service.ts'

const command = new URL('../../bin/ops', import.meta.url).pathname
const program = new URL('warm-ops.ts', import.meta.url).pathname

/** `code` is -1 for a command that was killed. */
export type Said = { code: number; out: string; err: string }

export type Typed = { pid: number; said: Promise<Said>; kill: (signal: 'SIGINT' | 'SIGKILL') => void; out: () => string; err: () => string }

const saidSchema = z.object({ code: z.number(), out: z.string(), err: z.string(), goesOn: z.boolean() })
const idle: ChildProcess[] = []

/**
 * What the operator's command line says to `args`, with nothing in its environment but `environment` and PATH: in a process that
 * stays (`warm-ops.ts`), and as many of them as are asked at once.
 */
export async function ops(environment: Environment, ...args: string[]): Promise<Said> {
  const child = idle.pop() ?? fork(program, { execArgv: [], env: bareEnvironment(), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  child.ref()
  child.channel?.ref()
  const answered = new AbortController()
  try {
    child.send({ args, env: bareEnvironment(environment) })
    const ended = once(child, 'exit', answered).then(() => [{ code: -1, out: '', err: 'It has ended.', goesOn: false }])
    const [message] = await Promise.race([once(child, 'message', answered), ended])
    const { goesOn, ...said } = saidSchema.parse(message)
    if (goesOn) idle.push(child)
    return said
  } finally {
    answered.abort()
    child.unref()
    child.channel?.unref()
  }
}

/** Runs `bin/ops` itself, for a test that wants to look at it, or strike it, while it runs. */
export function typeOps(environment: Environment, ...args: string[]): Typed {
  const env = bareEnvironment(environment)
  const { promise: said, resolve } = Promise.withResolvers<Said>()
  const child = execFile(command, args, { env, timeout: 600_000 }, (error, out, err) => {
    resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
  })
  keepFromOutliving(child)
  let [out, err] = ['', '']
  child.stdout?.on('data', (text: string) => (out += text))
  child.stderr?.on('data', (text: string) => (err += text))
  return { pid: child.pid ?? 0, said, kill: (signal) => void child.kill(signal), out: () => out, err: () => err }
}
