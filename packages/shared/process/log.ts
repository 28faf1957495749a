// Structured logs: one line a unit of work, with a verb and every id. JSON, or readable lines on a terminal.
// Secrets are taken out of the finished line, so that no careless field can let one slip.
import { type Logger, pino } from 'pino'
import { inWords } from './errors.ts'
import { harmless, harmlessJson } from './harmless.ts'
import { readJson } from './json.ts'

export type Log = Logger

/** A logger for one process. What `redact` knows never appears in a line, whoever logs it. */
export async function openLog(process_: 'ingest' | 'worker', { debug, redact }: { debug: boolean; redact: Redact }): Promise<Log> {
  const log = await openLogger(process_, debug, redact)
  takeConsole(log)
  return log
}

async function openLogger(process_: 'ingest' | 'worker', debug: boolean, redact: Redact): Promise<Log> {
  const destination = process.stdout.isTTY ? await prettyStream() : undefined
  const options = {
    level: debug ? 'debug' : 'info',
    base: { process: process_, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: (line: string) => (destination ? forTerminal : harmlessJson)(redact(line)) },
  }
  return destination ? pino(options, destination) : pino(options)
}

const againMs = 60_000
const mostTexts = 100

// Libraries print what they think, over many lines and many times. It goes the way of every line, and each text once a minute.
function takeConsole(log: Log): void {
  const told = new Map<string, number>()
  for (const method of ['log', 'info', 'warn', 'error'] as const)
    console[method] = (...parts: unknown[]) => {
      const reason = inWords(parts.map((part) => (part instanceof Error ? inWords(part) : String(part))).join(' '))
      if (Date.now() - (told.get(reason) ?? 0) < againMs) return
      if (told.size >= mostTexts) told.clear()
      told.set(reason, Date.now())
      log.warn({ reason }, 'a library says')
    }
}

// pino-pretty shows texts as they are.
function forTerminal(line: string): string {
  return `${JSON.stringify(readJson(line), (_, value: unknown) => (typeof value === 'string' ? harmless(value) : value))}\n`
}

// pino-pretty is there in development only.
async function prettyStream() {
  try {
    const { default: pretty } = await import('pino-pretty')
    return pretty({ ignore: 'pid,hostname', sync: true })
  } catch {
    return undefined
  }
}

/** Replaces every secret it knows in a text by `[secret]`; `learn` tells it one more. */
export type Redact = ((text: string) => string) & { learn: (secret: string) => void }

/** A function that knows `secrets`, also where they stand inside JSON or a URL. */
export function redactor(secrets: Array<string | undefined>): Redact {
  let longestFirst: string[] = []
  function learn(secret: string | undefined): void {
    if (secret === undefined || secret.length < 4) return
    const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]
    longestFirst = [...new Set([...longestFirst, ...forms])].sort((a, b) => b.length - a.length)
  }
  for (const secret of secrets) learn(secret)
  const redact = (text: string) => longestFirst.reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text)
  return Object.assign(redact, { learn })
}

/** The password inside an address such as `redis://user:password@host`, for the redactor. */
export function passwordOf(address: string | undefined): string | undefined {
  const [, password = ''] = /^[a-z+]+:\/\/[^@/:]*:([^@/]*)@/.exec(address ?? '') ?? []
  return password === '' ? undefined : decodeURIComponent(password)
}
