// Structured logs: one line a unit of work, with a verb and every id. JSON, or readable lines on a terminal.
// Secrets are taken out of the finished line, so that no careless field can let one slip.
import { type Logger, pino } from 'pino'

export type Log = Logger

/** A logger for one process. `secrets` never appear in a line, whoever logs them. */
export async function openLog(
  process_: 'ingest' | 'worker',
  { debug, secrets }: { debug: boolean; secrets: Array<string | undefined> },
): Promise<Log> {
  const redact = redactor(secrets)
  const destination = process.stdout.isTTY ? await prettyStream() : undefined
  const options = {
    level: debug ? 'debug' : 'info',
    base: { process: process_, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: redact },
  }
  return destination ? pino(options, destination) : pino(options)
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

/** A function that replaces every secret in a text, also where it stands inside JSON or a URL, by `[secret]`. */
export function redactor(secrets: Array<string | undefined>): (text: string) => string {
  const forms = secrets.flatMap((secret) =>
    secret !== undefined && secret.length >= 4 ? [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)] : [],
  )
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return (text) => longestFirst.reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text)
}

/** The password inside an address such as `redis://user:password@host`, for the redactor. */
export function passwordOf(address: string | undefined): string | undefined {
  const [, password = ''] = /^[a-z+]+:\/\/[^@/:]*:([^@/]*)@/.exec(address ?? '') ?? []
  return password === '' ? undefined : decodeURIComponent(password)
}
