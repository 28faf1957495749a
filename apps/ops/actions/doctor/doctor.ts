// `doctor`: looks at everything the service stands on, with its real credentials, and says what is wrong and how to repair
// it. Each check stands alone: one that fails keeps no other from being made.

import { meaningOf } from '#shared/journal/database.ts'
import { inWords, Permanent, Refused, Unavailable } from '#shared/process/errors.ts'
import { type Finding, notLooked, wrong } from '#sinks/finding.ts'
import { declarations, isOn } from '#sinks/registry.ts'
import { secretsOf } from '#sinks/settings.ts'
import type { OpsContext } from '../../context.ts'
import { checkClocks } from './clocks.ts'
import { checkConfiguration } from './configuration.ts'
import { checkDatabase } from './database.ts'
import { checkGitLab } from './gitlab.ts'
import { checkRedis } from './redis.ts'
import { checkShortfalls } from './shortfalls.ts'
import { checkWork } from './work.ts'

type Check = {
  id: string
  run: (context: OpsContext, signal: AbortSignal) => Finding[] | Promise<Finding[]>
  remedy: string
  /** The credential with which it asks, by the name of its variable. */
  secret?: string | undefined
}

const first: Check[] = [
  { id: 'configuration', run: checkConfiguration, remedy: '' },
  { id: 'redis', run: checkRedis, remedy: 'start it, or put its address into REDIS_URL' },
  {
    id: 'database',
    run: readErrors(checkDatabase),
    remedy: 'start it, or put its address into DATABASE_URL; effects go on, what waits for it is kept',
  },
  { id: 'gitlab', run: checkGitLab, remedy: 'see that GITLAB_URL is right, and reached from here', secret: 'GITLAB_TOKEN' },
]
const last: Check[] = [
  { id: 'clocks', run: checkClocks, remedy: '' },
  { id: 'work', run: checkWork, remedy: '' },
  { id: 'shortfalls', run: (context) => checkShortfalls(context).catch(() => notRead), remedy: '' },
]

const notRead = [notLooked('shortfalls', 'the database does not answer', 'see database')]

/** All findings, in the order of the checks. Never rejects. */
export async function doctor(context: OpsContext, signal: AbortSignal): Promise<Finding[]> {
  const checks = [...first, ...ofSinks(context), ...last]
  return (await Promise.all(checks.map((check) => make(check, context, signal)))).flat()
}

// What the sinks that are on ask themselves.
function ofSinks({ config: { sinksEnabled, settings } }: OpsContext): Check[] {
  return declarations.flatMap((one) => {
    const { check } = one
    if (!check || !isOn(one, sinksEnabled)) return []
    const [secret] = secretsOf(one)
    return [{ id: check.id, remedy: check.remedy, secret, run: (_place: OpsContext, signal: AbortSignal) => check.ask(settings, signal) }]
  })
}

async function make({ id, run, remedy, secret }: Check, context: OpsContext, signal: AbortSignal): Promise<Finding[]> {
  try {
    return await run(context, signal)
  } catch (error) {
    const isRefused = error instanceof Refused && secret !== undefined
    return [wrong(id, inWords(error), isRefused ? context.config.whereToPut(secret) : remedy)]
  }
}

// The driver's errors in the journal's words.
function readErrors(run: (context: OpsContext) => Promise<Finding[]>): Check['run'] {
  return (context) =>
    run(context).catch((error: unknown) => {
      throw error instanceof Refused || error instanceof Unavailable || error instanceof Permanent ? error : meaningOf(error)
    })
}
