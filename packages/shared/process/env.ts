// The one place where the environment is read: each process describes its variables as a zod schema, and learns about
// all mistakes at once, by name. The value of a secret is never printed.
import { z } from 'zod'
import { databaseAddress } from './database-address.ts'
import { expected } from './expected.ts'
import { harmless } from './harmless.ts'
import { readRedisUrl, redisForm } from './redis-address.ts'
import { readSecretFile } from './secret.ts'

/** Thrown when the environment cannot be used. `mistakes` has a line for each variable: its name and what was expected. */
export class BadConfiguration extends Error {
  override name = 'BadConfiguration'
  readonly mistakes: string[]
  constructor(mistakes: string[]) {
    super(mistakes.join('\n'))
    this.mistakes = mistakes
  }
}

type Environment = Record<string, string | undefined>

// Each of these may be given as a file instead: `<NAME>_FILE` is its path. So may the secrets of the sinks.
const secretNames = [
  'SOURCE_TOKEN',
  'SOURCE_TOKEN_OLD',
  'SOURCE_SIGNING_KEY',
  'OPS_TOKEN',
  'OPS_READ_TOKEN',
  'REDIS_URL',
  'DATABASE_URL',
  'TOOL_TOOLSDB_PASSWORD',
]

// Stands for a value that could not be read from its file. No schema accepts it.
const unread = Symbol('unread')

/**
 * Reads `environment` by `schema`. A variable that is set but empty counts as not set; a secret may be in the file that
 * `<NAME>_FILE` names: one of the service's own, or of `secrets`. Throws `BadConfiguration`.
 */
export function readEnvironment<S extends z.ZodType>(
  schema: S,
  environment: Environment = process.env,
  secrets: readonly string[] = [],
): z.output<S> {
  const set: Record<string, unknown> = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
  const files = new Map([...secretNames, ...secrets].flatMap((name) => (`${name}_FILE` in set ? [[name, fileOf(set, name)]] : [])))
  for (const [name, { value = unread }] of files) set[name] = value
  const result = schema.safeParse(set)
  if (result.success) return result.data
  const mistakes = new Map<string, string>()
  addTo(mistakes, result.error)
  // zod leaves out the checks that involve several variables while one is wrong: ask again without the wrong ones.
  const rest = schema.safeParse(Object.fromEntries(Object.entries(set).filter(([name]) => !mistakes.has(name))))
  if (!rest.success) addTo(mistakes, rest.error)
  throw new BadConfiguration(
    [...mistakes].map(([name, message]) => {
      const file = files.get(name)
      return file ? `${name}_FILE: ${file.problem ?? message}` : `${name}: ${message}`
    }),
  )
}

function fileOf(set: Record<string, unknown>, name: string): ReturnType<typeof readSecretFile> {
  if (name in set) return { problem: `expected either ${name} or ${name}_FILE, not both` }
  return readSecretFile(String(set[`${name}_FILE`]))
}

function addTo(mistakes: Map<string, string>, { issues }: z.ZodError): void {
  for (const { path, message } of issues) if (!mistakes.has(String(path[0]))) mistakes.set(String(path[0]), message)
}

/** Reads the environment as `readEnvironment` does; on a mistake it refuses. */
export function configure<S extends z.ZodType>(schema: S, secrets: readonly string[] = []): z.output<S> {
  try {
    return readEnvironment(schema, process.env, secrets)
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error
    return refuse(error.mistakes)
  }
}

/** Says on stderr why the configuration cannot be used, a line for each mistake, and exits 78 (EX_CONFIG). */
export function refuse(mistakes: string[]): never {
  process.stderr.write(`The configuration cannot be used:\n${mistakes.map((line) => `  ${harmless(line)}\n`).join('')}`)
  process.exit(78)
}

/** A secret or other text that must be there. */
export const required = (what: string) => z.string({ error: `is required: ${what}` })

/** A token for an HTTP header or a form. */
export const isPlain = (token: string) => /^[\x21-\x7e]+$/.test(token)
export const apiToken = z.string().refine(isPlain, 'expected printable ASCII characters without blanks')

/** Where a secret that may change is read from; its value is in the variable without `_FILE`. */
export const secretFile = z.string().optional()

/** A whole number between `least` and `most`. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .refine(
      (text) => /^\d{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most,
      expected(`a whole number from ${least} to ${most}`),
    )
    .transform(Number)

export const yesOrNo = z.stringbool(expected('true or false'))

export const webAddress = z
  .url({ protocol: /^https?$/, ...expected('an address such as https://example.org'), abort: true })
  .refine(
    (value) => !/[\s<>"'%]/.test(value) && new URL(value).username === '',
    expected('an address without user name, blanks or escapes'),
  )
  .transform((value) => value.replace(/\/+$/, ''))

/** `GITLAB_URL`. */
export const gitlabAddress = webAddress.default('https://gitlab.wikimedia.org')

const redisAddress = z.string().refine((value) => readRedisUrl(value) !== undefined, redisForm)

/** Where Redis and the database are: variables of our own, else those that Toolforge injects; and where traces go. */
export const places = {
  REDIS_URL: redisAddress.optional(),
  TOOL_REDIS_URI: redisAddress.optional(),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,100}$/, expected('letters, digits, dots, dashes and underscores'))
    .default('gitlab-webhooks'),
  REDIS_UNSAFE: z.literal('allow', expected('allow, or nothing')).optional(),
  DATABASE_URL: databaseAddress.optional(),
  TOOL_TOOLSDB_USER: z.string().optional(),
  TOOL_TOOLSDB_PASSWORD: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: webAddress.optional(),
}

export function redisUrl(env: { REDIS_URL?: string | undefined; TOOL_REDIS_URI?: string | undefined }): string {
  return env.REDIS_URL ?? env.TOOL_REDIS_URI ?? 'redis://127.0.0.1:6379'
}
