// The real service, as its users start it: ingest and worker processes with an environment, against the sandbox.
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { bareEnvironment } from './bare.ts'
import { type Leashed, letGo, onLeash } from './leashed.ts'
import { until } from './until.ts'

const root = new URL('../../', import.meta.url).pathname
const lineSchema = z.looseObject({ msg: z.string().optional(), pid: z.number().optional(), port: z.number().optional() })
export type LogLine = z.output<typeof lineSchema>

export type Process = {
  lines: LogLine[]
  /** Everything it printed, in both streams. */
  text: () => string
  pid: () => number
  /** The port it listens on, as it says. */
  port: () => number
  exit: Promise<number | null>
  /** SIGTERM, and its exit code. */
  stop: () => Promise<number | null>
  kill: () => Promise<void>
}

export type Environment = Record<string, string>

export const sourceToken = 'the-source-token-of-the-sandbox'

/** The environment of both processes for `sandbox`. */
export function environmentFor({
  sandbox,
  redisUrl,
  databaseUrl,
}: {
  sandbox: Sandbox
  redisUrl: string
  databaseUrl: string
}): Environment {
  return {
    SOURCE_TOKEN: sourceToken,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    REDIS_URL: redisUrl,
    DATABASE_URL: databaseUrl,
    PHABRICATOR_URL: sandbox.phabricator.url,
    PHABRICATOR_TOKEN: sandbox.phabricator.token,
    GITLAB_URL: sandbox.gitlab.url,
    GITLAB_TOKEN: sandbox.gitlab.token,
    REVIEWERS_API_URL: sandbox.wiki.apiUrl,
    REVIEWERS_MAX_AGE: '0',
    // A call whose answer was lost is looked for after 5 s.
    CALL_SECONDS: '3',
    SETTLE_SECONDS: '2',
  }
}

/**
 * Starts `apps/<app>/main.ts` with nothing in its environment but `environment` and PATH; `flags` are for Node. It may have
 * only so many `descriptors`, if that is given.
 */
export function startProcess(app: 'ingest' | 'worker', environment: Environment, flags: string[] = [], descriptors?: number): Process {
  const env = bareEnvironment(environment)
  const args = [...flags, `${root}apps/${app}/main.ts`]
  const limited = ['-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', process.execPath, ...args]
  const child = descriptors === undefined ? onLeash(process.execPath, args, { env }) : onLeash('sh', limited, { env })
  const lines: LogLine[] = []
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      text += `${line}\n`
      const read = readLine(line)
      if (read) lines.push(read)
    })
  }
  return { ...handle(child, lines), lines, text: () => text }
}

/** Starts a process and waits until it says `ready`. */
export async function startReady(...[app, ...how]: Parameters<typeof startProcess>): Promise<Process> {
  const process_ = startProcess(app, ...how)
  const sign = app === 'ingest' ? 'listening' : 'working'
  let over = false
  void process_.exit.then(() => (over = true))
  await until(() => over || process_.lines.some(({ msg }) => msg === sign), `${app} says "${sign}"`)
  if (over) throw new Error(`${app} ended at once: ${process_.text()}`)
  return process_
}

/** How many ms its stop took from the signal to its last word, by its own log: not how long it took for us to hear of it. */
export function stopMs({ lines }: Pick<Process, 'lines'>): number {
  const timeOf = (begin: string) => Date.parse(String(lines.find(({ msg }) => msg?.startsWith(begin))?.time))
  return timeOf('stopped') - timeOf('stopping')
}

function handle(child: Leashed, lines: LogLine[]): Omit<Process, 'lines' | 'text'> {
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve))
  const pid = () => find(lines, 'pid')
  return {
    pid,
    port: () => find(lines, 'port'),
    exit,
    async stop() {
      process.kill(pid(), 'SIGTERM')
      return await exit
    },
    kill: () => letGo(child),
  }
}

function find(lines: LogLine[], field: 'pid' | 'port'): number {
  const value = lines.find((line) => line[field] !== undefined)?.[field]
  if (value === undefined) throw new Error(`The process has not told its ${field} yet.`)
  return value
}

/** The lines of a log in `text`. */
export function linesIn(text: string): LogLine[] {
  return text
    .split('\n')
    .map(readLine)
    .filter((line) => line !== undefined)
}

function readLine(line: string): LogLine | undefined {
  try {
    return lineSchema.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}
