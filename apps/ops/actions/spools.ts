// What waits in the spools of all ingest processes: as they told Redis within the last seconds, or while Redis takes nothing,
// as they say now. What nobody says is not known.
import { hostname } from 'node:os'
import { z } from 'zod'
import { readJson } from '#shared/process/json.ts'
import type { Presence } from '#shared/queue/presence.ts'

/** `unknown` is how many ingest processes could not be asked. */
export type SpoolState = {
  deliveries: number
  bytes: number
  since: string | null
  unreadable: { files: number; reason: string } | null
  unknown?: number
}

type Told = NonNullable<Presence['spool']>

/** As the processes told it. */
export function spoolTold(processes: Presence[]): SpoolState {
  return sum(processes.flatMap(({ spool }) => spool ?? []))
}

/** As those of the processes say that can be asked now; null when none can. Never rejects. */
export async function spoolAsked(processes: Presence[]): Promise<SpoolState | null> {
  const ingests = processes.filter(({ app }) => app === 'ingest')
  const answers = (await Promise.all(ingests.map(ask))).flatMap((told) => told ?? [])
  const unknown = ingests.length - answers.length
  if (answers.length === 0) return null
  return unknown === 0 ? sum(answers) : { ...sum(answers), unknown }
}

function sum(spools: Told[]): SpoolState {
  const total = (numbers: number[]) => numbers.reduce((so, number) => so + number, 0)
  const unreadable = spools.flatMap((spool) => spool.unreadable ?? [])
  return {
    deliveries: total(spools.map(({ deliveries }) => deliveries)),
    bytes: total(spools.map(({ bytes }) => bytes)),
    since: spools.flatMap(({ since }) => since ?? []).toSorted()[0] ?? null,
    unreadable: unreadable[0] ? { files: total(unreadable.map(({ files }) => files)), reason: unreadable[0].reason } : null,
  }
}

const readySchema = z.object({ spool: z.object({ deliveries: z.number(), bytes: z.number(), since: z.iso.datetime().optional() }) })
const patienceMs = 2800
const loopback = /^http:\/\/(127\.|\[::1\]|localhost)/

async function ask({ address, host }: Presence): Promise<Told | undefined> {
  // Such an address is one of another machine when that is where the process is.
  if (address === undefined || (loopback.test(address) && host !== hostname())) return undefined
  try {
    const answer = await fetch(`${address}/readyz`, { redirect: 'manual', signal: AbortSignal.timeout(patienceMs) })
    const { spool } = readySchema.parse(readJson(await answer.text()))
    return { ...spool, since: spool.since ?? null }
  } catch {
    return undefined
  }
}
