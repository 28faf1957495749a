// Whether the clocks agree: own comments are looked for from a minute before their event on, and files and cursors carry
// times, too.
import { sql } from 'kysely'
import { inWords } from '#shared/process/errors.ts'
import { type Finding, notLooked, ok, warning, wrong } from '#sinks/finding.ts'
import { exchange } from '#sinks/http/http.ts'
import { declarations, isOn } from '#sinks/registry.ts'
import { type Named, titleOf } from '#sinks/remote.ts'
import type { OpsContext } from '../../context.ts'

const id = 'clocks'
const suspiciousMs = 10_000
const wrongMs = 50_000
const remedy = 'keep the clock by NTP, there and here'

/** What the time is elsewhere, in ms since 1970. */
type Clock = { name: string; ask: () => Promise<number> }

export async function checkClocks(
  { redis, database, config: { sinksEnabled, settings } }: OpsContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  const on = declarations.filter((one) => isOn(one, sinksEnabled)).flatMap((one) => one.remotesAt(settings))
  const remotes = new Map(on.map((remote) => [remote.name, remote]))
  const clocks: Clock[] = [
    { name: 'Redis', ask: async () => Number((await redis.time())[0]) * 1000 + 500 },
    {
      name: 'the database',
      ask: async () => timeOf((await sql<{ now: number }>`select unix_timestamp(now(3)) as now`.execute(database)).rows),
    },
    ...[...remotes.values()].flatMap(({ url, ...remote }) =>
      url === undefined ? [] : [{ name: titleOf(remote), ask: () => dateOf(remote, url, signal) }],
    ),
  ]
  const findings = await Promise.all(clocks.map(compare))
  const bad = findings.filter(({ state }) => state !== 'ok')
  return bad.length > 0 ? bad : [ok(id, 'they agree')]
}

async function compare({ name, ask }: Clock): Promise<Finding> {
  try {
    const asked = Date.now()
    const there = await ask()
    const apart = there - (asked + Date.now()) / 2
    const message = `the clock of ${name} is ${Math.abs(Math.round(apart / 1000))} s ${apart > 0 ? 'ahead of' : 'behind'} this one`
    if (Math.abs(apart) > wrongMs) return wrong(id, message, remedy)
    return Math.abs(apart) > suspiciousMs ? warning(id, message, remedy) : ok(id, message)
  } catch (error) {
    return notLooked(id, `${name} did not tell the time: ${inWords(error)}`, 'see what is said of it above')
  }
}

function timeOf([row]: Array<{ now: number }>): number {
  return Number(row?.now) * 1000
}

// By the second; any answer will do.
async function dateOf(remote: Named, url: string, signal: AbortSignal): Promise<number> {
  const { headers } = await exchange(remote, url, { signal })
  const time = Date.parse(headers.get('date') ?? '')
  if (Number.isNaN(time)) throw new Error('its answer has no Date')
  return time + 500
}
