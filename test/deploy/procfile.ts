// The Procfile, and its lines as a platform starts them: word by word, without a shell.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { bareEnvironment } from '../support/bare.ts'
import { letGo, onLeash } from '../support/leashed.ts'
import type { Environment } from '../support/service.ts'
import { until } from '../support/until.ts'

const root = new URL('../../', import.meta.url).pathname

/** The words of each process type's command. */
export function readProcfile(): Map<string, string[]> {
  const lines = readFileSync(join(root, 'Procfile'), 'utf8').trimEnd().split('\n')
  return new Map(
    lines.map((line) => {
      const [, name, command] = /^([a-z]+): (\S.*)$/.exec(line) ?? []
      if (name === undefined || command === undefined) throw new SyntaxError(`Not a line of a Procfile: ${line}`)
      return [name, command.split(' ')]
    }),
  )
}

export type Started = {
  text: () => string
  /** The pid of the process itself: it says it in each line of its log. */
  pid: () => number
  /** The code with which it ended. */
  exit: Promise<number | null>
  kill: () => Promise<void>
}

/** Starts the process type `name` with nothing in its environment but PATH and `environment`. */
export function startLine(name: string, environment: Environment, more: string[] = []): Started {
  const [command = '', ...words] = readProcfile().get(name) ?? []
  const path = command.includes('/') && !isAbsolute(command) ? join(root, command) : command
  const args = words.map((word) => (word.startsWith('apps/') ? join(root, word) : word))
  const child = onLeash(path, [...args, ...more], { env: bareEnvironment(environment) })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (text += bytes.toString()))
  const exit = once(child, 'close').then(() => child.exitCode)
  return { text: () => text, pid: () => Number(/"pid":(\d+)/.exec(text)?.[1]), exit, kill: () => letGo(child) }
}

/** The same, when it has said `sign`. */
export async function startedLine(name: string, environment: Environment, sign: string): Promise<Started> {
  const started = startLine(name, environment)
  let over = false
  void started.exit.then(() => (over = true))
  await until(() => over || started.text().includes(sign), `${name} says ${sign}`)
  if (over) throw new Error(`${name} ended at once: ${started.text()}`)
  return started
}
