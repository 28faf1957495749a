// The operator's command line, as it is typed.
import { execFile } from 'node:child_process'
import { bareEnvironment } from './bare.ts'
import { keepFromOutliving } from './leashed.ts'
import type { Environment } from './service.ts'

const command = new URL('../../bin/ops', import.meta.url).pathname

/** `code` is -1 for a command that was killed. */
export type Said = { code: number; out: string; err: string }

export type Typed = { pid: number; said: Promise<Said>; kill: (signal: 'SIGINT' | 'SIGKILL') => void; out: () => string; err: () => string }

/** Runs `bin/ops` with `args` and nothing in its environment but `environment` and PATH. */
export function ops(environment: Environment, ...args: string[]): Promise<Said> {
  return typeOps(environment, ...args).said
}

/** The same, for a command that a test wants to look at, or strike, while it runs. */
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
