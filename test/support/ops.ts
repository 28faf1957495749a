// The operator's command line, as it is typed.
import { execFile } from 'node:child_process'
import type { Environment } from './service.ts'

const command = new URL('../../bin/ops', import.meta.url).pathname

export type Said = { code: number; out: string; err: string }

/** Runs `bin/ops` with `args` and nothing in its environment but `environment` and PATH. */
export function ops(environment: Environment, ...args: string[]): Promise<Said> {
  const env = { PATH: process.env.PATH ?? '', ...environment }
  return new Promise((resolve) => {
    execFile(command, args, { env, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
    })
  })
}
