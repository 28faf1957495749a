// What monitoring is told in one word, and why: the cause first.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextRestart } from '../../apps/ops/actions/processes.ts'
import type { Status } from '../../apps/ops/actions/status.ts'
import { verdict } from '../../apps/ops/actions/verdict.ts'

const at = '2026-11-30T18:40:28.000Z'
const process_ = (app: 'ingest' | 'worker', silent = false) => {
  return { id: app, app, host: 'here', pid: 7, version: '1', since: at, seen: at, silent }
}
const well: Status = {
  at,
  redis: { state: 'up', reason: null, readable: true },
  database: { state: 'up', reason: null, readable: true },
  queues: [],
  remotes: [],
  processes: [process_('ingest'), process_('worker')],
  spool: { deliveries: 0, bytes: 0, since: null, unreadable: null },
  feed: { subscribers: 0 },
  token: null,
  losses: [],
  nextRestart: { may: true, why: null },
  dead: 3,
  lastDelivery: { id: 'd', at, kind: 'push' },
  silence: { seconds: 10, usualSeconds: 60 },
}
const queue = { id: 'phabricator' as const, waiting: 2, active: 0, delayed: 0, dead: 0, paused: false, pausedBy: null, lag: 0, held: null }
const hold = { since: at, until: at, probes: 1, reason: 'Phabricator answers 502.', refused: false, remote: 'phabricator' }
const spooled = { deliveries: 106, bytes: 9, since: at, unreadable: null }

const cases: Array<[title: string, Partial<Status>, state: string, ...why: string[]]> = [
  ['all is well, dead letters or not', {}, 'ok', `1 ingest, 1 worker, last delivery ${at}`],
  [
    'Redis takes nothing and deliveries are spooled',
    {
      redis: { state: 'down', reason: 'Redis at h:1 refuses what we write: its memory is full (maxmemory).', readable: true },
      spool: spooled,
    },
    'broken',
    'Redis at h:1 refuses what we write: its memory is full (maxmemory): 106 deliveries wait in the spool',
  ],
  [
    'nobody takes deliveries',
    { processes: [process_('worker')] },
    'broken',
    'no ingest has been seen within the last minute: deliveries are lost',
  ],
  [
    'the only worker is frozen',
    { processes: [process_('ingest'), process_('worker', true)] },
    'broken',
    'every worker is silent: deliveries wait',
    'worker 7 on here is silent',
  ],
  ['one of two workers is frozen', { processes: [...well.processes, process_('worker', true)] }, 'degraded', 'worker 7 on here is silent'],
  [
    'the database is away',
    { database: { state: 'down', reason: 'The database says: no', readable: false } },
    'degraded',
    'The database says: no',
  ],
  ['a remote is down', { queues: [{ ...queue, held: hold }] }, 'degraded', 'phabricator is on hold: Phabricator answers 502.'],
  [
    'a token is refused',
    { queues: [{ ...queue, held: { ...hold, refused: true } }] },
    'degraded',
    'phabricator is on hold, its credential is refused: Phabricator answers 502.',
  ],
  [
    'a sink is paused',
    { queues: [{ ...queue, paused: true, pausedBy: { who: 'anna', reason: 'a move', since: at } }] },
    'degraded',
    'phabricator is paused by anna: a move',
  ],
  [
    'nothing is done of what waits',
    { queues: [{ ...queue, lag: 900 }] },
    'degraded',
    'the oldest job of phabricator has waited 15m, and nothing holds it',
  ],
  ['deliveries wait though Redis is up', { spool: spooled }, 'degraded', '106 deliveries wait in the spool'],
  ['it is silent', { silence: { seconds: 7200, usualSeconds: 60 } }, 'degraded', 'no delivery for 2h, usual is at most 60s'],
]

for (const [title, now, state, ...why] of cases)
  test(`when ${title} it is ${state}`, () => {
    assert.deepEqual(verdict({ ...well, ...now }), { state, why })
  })

test('a rolling restart goes on when all are there and the spool is empty', () => {
  const all = [process_('ingest'), process_('ingest'), process_('worker'), process_('worker')]
  assert.deepEqual(nextRestart({ ...well, processes: all }), { may: true, why: null })
  assert.equal(nextRestart(well).may, false)
  assert.equal(nextRestart({ ...well, processes: all, spool: spooled }).why, '106 deliveries wait in the spool')
  assert.equal(nextRestart({ ...well, processes: all, spool: null }).why, 'unknown deliveries wait in the spool')
})
