// How the work goes: whether processes are there, whether deliveries come, and what waits, is on hold or dead.

import { inSentence } from '#shared/event/unexpected.ts'
import { type Finding, notLooked, ok, warning, wrong } from '#sinks/finding.ts'
import { declarationOf } from '#sinks/registry.ts'
import { secretsOf } from '#sinks/settings.ts'
import type { OpsContext } from '../../context.ts'
import { asksAgain, span } from '../../print.ts'
import { takenOver, whatToDo } from '../processes.ts'
import { type Status, status } from '../status.ts'

export async function checkWork(context: OpsContext): Promise<Finding[]> {
  const now = await status(context)
  const inRedis = ['processes', 'queues'].map((id) => notLooked(id, 'Redis does not answer', 'see redis'))
  const inDatabase = notLooked('deliveries', 'the database does not answer', 'see database')
  return [
    ...now.losses.map(({ message, remedy }) => wrong('losses', message, remedy)),
    ...spool(now),
    ...room(now),
    ...(now.redis.readable ? [...processes(now), ...unexpected(now), ...queues(now, context.config)] : inRedis),
    now.database.readable ? deliveries(now) : inDatabase,
    now.dead === null ? notLooked('dead', 'the database does not answer', 'see database') : dead(now.dead),
  ]
}

function processes({ processes: all }: Status): Finding[] {
  const silent = all.filter((one) => one.silent)
  if (silent.length > 0)
    return silent.map((one) => {
      const quiet = span((Date.now() - Date.parse(one.seen)) / 1000)
      return warning('processes', `${one.app} ${one.pid} on ${one.host} has been silent for ${quiet}: ${takenOver(one, all)}`, whatToDo)
    })
  const count = (app: string) => all.filter((one) => one.app === app).length
  const missing = ['ingest', 'worker'].filter((app) => count(app) === 0)
  if (missing.length > 0) return [warning('processes', `no ${missing.join(' and no ')} has been seen within the last minute`, 'start one')]
  const versions = [...new Set(all.map(({ version }) => version))]
  if (versions.length > 1) return [warning('processes', `versions ${versions.join(' and ')} run side by side`, 'restart the older ones')]
  return [ok('processes', `${count('ingest')} ingest, ${count('worker')} worker, version ${versions.join()}`)]
}

function spool({ spool: all, redis }: Status): Finding[] {
  if (!all) return [notLooked('spool', 'Redis does not say where ingest is', 'ask ingest itself: /readyz at its PORT')]
  const findings: Finding[] = []
  if (all.unknown !== undefined)
    findings.push(notLooked('spool', `ingest processes that did not answer: ${all.unknown}`, 'ask them themselves: /readyz at their PORT'))
  if (all.unreadable) {
    const { files, reason } = all.unreadable
    const remedy = 'make it readable, or move it away; what is in it is handed over by itself as soon as it can be read'
    findings.push(wrong('spool', `files that cannot be read: ${files}. ${reason}`, remedy))
  }
  if (all.deliveries > 0) {
    const age = all.since === null ? '' : `, for ${span((Date.now() - Date.parse(all.since)) / 1000)}`
    const remedy =
      redis.state === 'up' ? 'see that ingest reaches Redis' : 'see redis; they are handed over by themselves when it takes them'
    findings.push(warning('spool', `${all.deliveries} deliveries wait on disk${age}`, remedy))
  }
  return findings.length > 0 ? findings : [ok('spool', 'it is empty')]
}

const littleBytes = 1e9

function room({ processes: all }: Status): Finding[] {
  return all.flatMap(({ host, spool: kept }) => {
    if (kept?.free === undefined || kept.free > littleBytes) return []
    const message = `the disk of ${host} has ${Math.floor(kept.free / 1e6)} MB left for the spool`
    return warning('spool', message, 'make room: when Redis is away deliveries are kept there, and refused when it is full')
  })
}

function queues({ queues: all }: Status, config: OpsContext['config']): Finding[] {
  const findings = all.flatMap(({ id, held, paused, pausedBy, dead: died }) => {
    if (id === 'journal' && died > 0)
      return warning(
        'queues',
        `dead jobs in journal: ${died}, which it was to be told`,
        'read why in the log; each start of a worker tries again',
      )
    if (id === 'chores' && died > 0)
      return warning('queues', `dead jobs in chores: ${died}`, 'read why in the log; the next time one is done makes up for it')
    if (held?.refused)
      return wrong(
        'queues',
        `${id} is on hold, its credential is refused: ${held.reason}`,
        `${placesOfSecrets(id, config)}; then the queue goes on by itself`,
      )
    if (held)
      return warning(
        'queues',
        `${id} has been on hold since ${held.since}, and ${asksAgain(held.until)}: ${held.reason}`,
        `mend the remote; the queue goes on by itself when it is back, at once after: bin/ops resume ${id} --now --reason …`,
      )
    const who = pausedBy ? ` by ${pausedBy.who}: ${pausedBy.reason}` : ''
    return paused ? warning('queues', `${id} is paused${who}`, `bin/ops resume ${id} --reason …`) : []
  })
  return findings.length > 0 ? findings : [ok('queues', 'all are running')]
}

// The same of several workers once, with the delivery that was the first.
function unexpected({ processes: all }: Status): Finding[] {
  const noted = all.flatMap((one) => one.unexpected ?? []).toSorted((one, other) => (one.since < other.since ? -1 : 1))
  const kinds = Map.groupBy(noted, ({ field, is }) => `${field} ${is}`)
  return [...kinds.values()].flatMap(([one]) => {
    if (!one) return []
    const message = `GitLab sends what is not known of it: ${inSentence([one])}, in ${one.kind} since ${one.since}`
    return [warning('unexpected', message, `bin/ops explain ${one.delivery}; was GitLab upgraded? This service may need to be, too`)]
  })
}

function placesOfSecrets(queue: string, { whereToPut }: OpsContext['config']): string {
  const declaration = declarationOf(queue)
  return declaration ? secretsOf(declaration).map(whereToPut).join('; ') : 'replace the token'
}

function deliveries({ lastDelivery, silence, spool: kept, queues: all, losses }: Status): Finding {
  const onTheWay = (kept?.deliveries ?? 0) + (all.find(({ id }) => id === 'deliveries')?.waiting ?? 0)
  if (!lastDelivery && onTheWay > 0) return ok('deliveries', `the first ones are on their way: ${onTheWay}`)
  const repair = "look at the system hook's recent deliveries in GitLab: is its address right, and its token still set?"
  if (!lastDelivery) return warning('deliveries', 'no delivery is in the journal', losses.length > 0 ? 'see losses' : repair)
  const message = `the last one came at ${lastDelivery.at}`
  if (!silence || silence.seconds <= silence.usualSeconds) return ok('deliveries', message)
  const quiet = `no delivery for ${span(silence.seconds)}, usual is at most ${span(silence.usualSeconds)}`
  return warning('deliveries', `${message}: ${quiet}`, `${repair} Then: bin/ops reconcile --since ${lastDelivery.at} --reason …`)
}

function dead(count: number): Finding {
  return count > 0 ? warning('dead', `there are ${count}`, 'bin/ops dead groups') : ok('dead', 'there are none')
}
