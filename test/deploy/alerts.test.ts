// What each alert rings for, and that one cause rings once: series as the processes tell them, run through the rules by promtool.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { alertsFile, readRules } from './watching.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
const skip = !hasPromtool && 'promtool is not installed here: bin/setup promtool'

/** Values from minute to minute, by series. */
type Series = Record<string, string>
type Ring = { labels: Record<string, string>; summary: string }
/** `rings` has every alert that fires at `at`, by its name without the prefix. */
type Scenario = { series: Series; at?: string; rings: Record<string, Ring> }

const [constantly, nothing] = [(value: number) => `${value}+0x120`, '_x120']
const ingest = 'job="gitlab-webhooks-ingest",instance="ingest:8000"'
const worker = 'job="gitlab-webhooks-worker",instance="worker:8001"'
const of = (name: string, labels: string) => `${name.startsWith('up') ? '' : 'gitlab_webhooks_'}${name}{${labels}}`

// All is well, and some work goes on.
const well: Series = {
  [of('up', ingest)]: constantly(1),
  [of('up', worker)]: constantly(1),
  [of('feed_subscribers', ingest)]: constantly(2),
  [of('redis_up', ingest)]: constantly(1),
  [of('redis_up', worker)]: constantly(1),
  [of('redis_down_seconds', ingest)]: constantly(0),
  [of('redis_down_seconds', worker)]: constantly(0),
  [of('redis_errors_total', ingest)]: constantly(3),
  [of('database_up', worker)]: constantly(1),
  [of('database_down_seconds', worker)]: constantly(0),
  [of('database_errors_total', worker)]: constantly(3),
  [of('deliveries_total', `${ingest},kind="push",status="202"`)]: '0+9x120',
  [of('deliveries_total', `${ingest},kind="push",status="503"`)]: constantly(0),
  [of('deliveries_total', `${ingest},kind="unread",status="401"`)]: constantly(2),
  [of('silence_ratio', worker)]: constantly(0.5),
  [of('spool_age_seconds', ingest)]: constantly(0),
  [of('spool_unreadable_files', ingest)]: constantly(0),
  [of('spool_writable', ingest)]: constantly(1),
  [of('spool_free_bytes', ingest)]: constantly(5e10),
  [of('losses', `${worker},kind="refused"`)]: constantly(0),
  [of('journal_bytes', worker)]: '6e9+1e3x120',
  [of('feed_lag_seconds', ingest)]: constantly(1),
  [of('token_days_left', `${worker},remote="gitlab"`)]: constantly(100),
  [`process_resident_memory_bytes{${worker}}`]: constantly(2e8),
  [of('jobs_ended_total', `${worker},queue="phabricator"`)]: '0+5x120',
  [of('queue_jobs', `${worker},queue="phabricator",state="waiting"`)]: constantly(4),
  [of('queue_jobs', `${worker},queue="phabricator",state="active"`)]: constantly(1),
  [of('queue_jobs', `${worker},queue="phabricator",state="dead"`)]: constantly(7),
  [of('queue_oldest_seconds', `${worker},queue="phabricator"`)]: constantly(20),
  [of('queue_held_seconds', `${worker},queue="phabricator",refused="false",remote=""`)]: constantly(0),
  [of('unexpected_total', `${worker},field="object_attributes.iid"`)]: constantly(0),
}

const onIngest = { instance: 'ingest:8000' }
const onWorker = { instance: 'worker:8001' }
const queue = { queue: 'phabricator' }
const stands: Series = {
  [of('jobs_ended_total', `${worker},queue="phabricator"`)]: constantly(12),
  [of('queue_oldest_seconds', `${worker},queue="phabricator"`)]: '0+60x120',
}
const held = (refused: boolean, remote: string): Series => ({
  ...stands,
  [of('queue_held_seconds', `${worker},queue="phabricator",refused="false",remote=""`)]: nothing,
  [of('queue_held_seconds', `${worker},queue="phabricator",refused="${refused}",remote="${remote}"`)]: '0+60x120',
})
const unread = Object.fromEntries(Object.keys(well).flatMap((name) => (/_queue_|losses/.test(name) ? [[name, nothing]] : [])))

const scenarios: Record<string, Scenario> = {
  'all is well': { series: {}, rings: {} },
  'GitLab writes a field otherwise since it was upgraded': {
    series: { [of('unexpected_total', `${worker},field="object_attributes.iid"`)]: '0x100 1+1x20' },
    at: '1h42m',
    rings: {
      UnexpectedFields: {
        labels: { field: 'object_attributes.iid' },
        summary: 'GitLab sends object_attributes.iid otherwise than is known of it: events may be understood in part only',
      },
    },
  },
  'a worker is frozen or gone, and another one works': {
    series: { [of('up', 'job="gitlab-webhooks-worker",instance="worker-2:8001"')]: constantly(0) },
    rings: {
      ProcessDown: {
        labels: { job: 'gitlab-webhooks-worker', instance: 'worker-2:8001' },
        summary: 'gitlab-webhooks-worker on worker-2:8001 has not answered for two minutes',
      },
    },
  },
  'the only ingest is gone': {
    series: {
      [of('up', ingest)]: constantly(0),
      ...Object.fromEntries(
        Object.keys(well)
          .filter((name) => name.includes(ingest) && !name.startsWith('up'))
          .map((name) => [name, nothing]),
      ),
    },
    rings: {
      ProcessDown: {
        labels: { job: 'gitlab-webhooks-ingest', ...onIngest },
        summary: 'gitlab-webhooks-ingest on ingest:8000 has not answered for two minutes',
      },
    },
  },
  'ingest is not even known': {
    series: { [of('up', ingest)]: nothing, [of('feed_subscribers', ingest)]: nothing },
    rings: { NoProcess: { labels: {}, summary: 'No ingest, or no worker, is known to Prometheus for two minutes' } },
  },
  'Redis is full, frozen or away': {
    series: {
      ...unread,
      ...stands,
      [of('redis_up', ingest)]: constantly(0),
      [of('redis_up', worker)]: constantly(0),
      [of('redis_down_seconds', ingest)]: '0+60x120',
      [of('redis_down_seconds', worker)]: '0+60x120',
      [of('redis_errors_total', ingest)]: '0+60x120',
      [of('spool_age_seconds', ingest)]: '0+60x120',
      [of('silence_ratio', worker)]: constantly(3),
    },
    rings: {
      RedisDown: {
        labels: {},
        summary: 'Redis has taken no writes for 20m 0s: deliveries wait in the spool, effects in their queues',
      },
    },
  },
  'connections to Redis break': {
    series: { [of('redis_errors_total', ingest)]: '0+60x120' },
    rings: {
      RedisErrors: {
        labels: onIngest,
        summary: 'ingest:8000 has lost connections to Redis for ten minutes, though Redis takes writes in between',
      },
    },
  },
  'the database is down or full': {
    series: {
      [of('database_up', worker)]: constantly(0),
      [of('database_down_seconds', worker)]: '0+60x120',
      [of('database_errors_total', worker)]: '0+60x120',
      [of('queue_held_seconds', `${worker},queue="journal",refused="false",remote="database"`)]: '0+60x120',
      [of('journal_bytes', worker)]: nothing,
      [of('silence_ratio', worker)]: nothing,
    },
    rings: {
      DatabaseDown: { labels: {}, summary: 'The database has taken no writes for 20m 0s: effects go on, the journal waits' },
    },
  },
  'the database refuses statements': {
    series: { [of('database_errors_total', worker)]: '0+60x120' },
    rings: {
      DatabaseErrors: { labels: onWorker, summary: 'The database has not done all that worker:8001 asks for ten minutes' },
    },
  },
  'deliveries are refused just now': {
    series: {
      [of('deliveries_total', `${ingest},kind="push",status="503"`)]: '0+0x15 70+0x100',
      [of('losses', `${worker},kind="refused"`)]: constantly(1),
    },
    rings: {
      DeliveriesLost: {
        labels: {},
        summary: 'Deliveries were refused in the last ten minutes, since neither Redis nor the spool took them',
      },
    },
  },
  'deliveries were refused some time ago': {
    series: { [of('losses', `${worker},kind="refused"`)]: constantly(1) },
    rings: {
      Loss: {
        labels: { kind: 'refused' },
        summary: '1 losses (refused) that nobody has seen to; status says when, and what to type',
      },
    },
  },
  'the secret is wrong': {
    series: { [of('deliveries_total', `${ingest},kind="unread",status="401"`)]: '0+3x120' },
    rings: { DeliveriesRefused: { labels: {}, summary: 'More than five requests came with a wrong secret in 15 minutes' } },
  },
  'GitLab is silent': {
    series: { [of('silence_ratio', worker)]: constantly(1.5) },
    rings: { Silence: { labels: {}, summary: 'No delivery for 1.5 times as long as is usual at this hour' } },
  },
  'the spool is not handed over': {
    series: { [of('spool_age_seconds', ingest)]: constantly(400) },
    rings: {
      SpoolWaits: {
        labels: onIngest,
        summary: 'Deliveries have waited in the spool of ingest:8000 for 6m 40s, though Redis takes writes',
      },
    },
  },
  'spool files cannot be read': {
    series: { [of('spool_unreadable_files', ingest)]: constantly(2) },
    rings: {
      SpoolUnreadable: { labels: onIngest, summary: '2 spool files of ingest:8000 cannot be read: the deliveries in them wait' },
    },
  },
  'the disk of the spool is full': {
    series: { [of('spool_writable', ingest)]: constantly(0), [of('spool_free_bytes', ingest)]: constantly(0) },
    rings: {
      SpoolNotWritable: {
        labels: onIngest,
        summary: 'The disk of ingest:8000 does not take the spool: deliveries are refused when Redis does not take them',
      },
    },
  },
  'the disk of the spool will be full': {
    series: { [of('spool_free_bytes', ingest)]: constantly(5e8) },
    rings: { SpoolFills: { labels: onIngest, summary: 'The disk of ingest:8000 has 500MB left for the spool' } },
  },
  'a credential is refused': {
    series: held(true, 'phabricator'),
    at: '5m',
    rings: {
      QueueRefused: {
        labels: { ...queue, remote: 'phabricator' },
        summary: 'Queue phabricator has been on hold for 5m 0s: phabricator refuses our credential',
      },
    },
  },
  'a remote is down': {
    series: held(false, 'gitlab'),
    rings: {
      QueueHeld: {
        labels: { ...queue, remote: 'gitlab' },
        summary: 'Queue phabricator has waited 20m 0s for its remote gitlab',
      },
    },
  },
  'work is there, and nothing is done': {
    series: stands,
    rings: {
      QueueStalled: { labels: queue, summary: 'Queue phabricator has had work for ten minutes, and nothing of it has been done' },
    },
  },
  'one job hangs, and none waits': {
    series: {
      ...stands,
      [of('queue_jobs', `${worker},queue="phabricator",state="waiting"`)]: constantly(0),
      [of('queue_oldest_seconds', `${worker},queue="phabricator"`)]: constantly(0),
    },
    rings: {
      QueueStalled: { labels: queue, summary: 'Queue phabricator has had work for ten minutes, and nothing of it has been done' },
    },
  },
  'nothing is there to be done': {
    series: {
      ...stands,
      [of('queue_oldest_seconds', `${worker},queue="phabricator"`)]: constantly(0),
      [of('queue_jobs', `${worker},queue="phabricator",state="waiting"`)]: '0+0x12 3+0x2 0+0x100',
      [of('queue_jobs', `${worker},queue="phabricator",state="active"`)]: constantly(0),
    },
    rings: {},
  },
  'more comes than is done': {
    series: { [of('queue_oldest_seconds', `${worker},queue="phabricator"`)]: constantly(700) },
    rings: {
      QueueStuck: { labels: queue, summary: 'The oldest job of queue phabricator has waited 11m 40s, though others are done' },
    },
  },
  'effects die': {
    series: { [of('queue_jobs', `${worker},queue="phabricator",state="dead"`)]: '7+0x15 10+0x100' },
    rings: { DeadLetters: { labels: queue, summary: 'Queue phabricator has 10 dead letters, more than an hour ago' } },
  },
  'a token ends soon': {
    series: { [of('token_days_left', `${worker},remote="gitlab"`)]: constantly(10) },
    rings: { TokenExpires: { labels: { remote: 'gitlab' }, summary: 'The token for gitlab is good for 10 more days' } },
  },
  'a token has ended': {
    series: { [of('token_days_left', `${worker},remote="gitlab"`)]: constantly(0) },
    rings: { TokenExpired: { labels: { remote: 'gitlab' }, summary: 'The token for gitlab is about to expire, or has' } },
  },
  'a token has ended, and a queue is on hold for that': {
    series: { ...held(true, 'gitlab'), [of('token_days_left', `${worker},remote="gitlab"`)]: constantly(0) },
    at: '5m',
    rings: {
      QueueRefused: {
        labels: { ...queue, remote: 'gitlab' },
        summary: 'Queue phabricator has been on hold for 5m 0s: gitlab refuses our credential',
      },
    },
  },
  'the journal doubles in a week': {
    series: { [of('journal_bytes', worker)]: '6e9+1e6x120' },
    at: '100m',
    rings: { JournalGrows: { labels: {}, summary: 'The journal has 6.1GB, and will have twice as much in a week' } },
  },
  'a reader of the feed is slow': {
    series: { [of('feed_lag_seconds', ingest)]: constantly(90) },
    rings: { FeedLags: { labels: onIngest, summary: 'A reader of the feed of ingest:8000 is 1m 30s behind' } },
  },
  'a process takes much memory': {
    series: { [`process_resident_memory_bytes{${worker}}`]: constantly(512 * 1024 * 1024) },
    rings: { Memory: { labels: onWorker, summary: 'worker:8001 takes 512MiB of memory' } },
  },
}

const rules = readRules()
const nameOf = (alert: string) => alert.replace('GitlabWebhooks', '')

test('each alert rings in one of the cases below', () => {
  const ringing = new Set(Object.values(scenarios).flatMap(({ rings }) => Object.keys(rings)))
  assert.deepEqual(
    rules.map(({ alert }) => nameOf(alert)).filter((name) => !ringing.has(name)),
    [],
  )
})

function caseOf({ series, at = '20m', rings }: Scenario) {
  const input_series = Object.entries({ ...well, ...series }).map(([name, values]) => ({ series: name, values }))
  const alert_rule_test = rules.map(({ alert, labels, annotations: { command, runbook } }) => {
    const ring = rings[nameOf(alert)]
    const exp_annotations = { command, runbook, summary: ring?.summary }
    return { eval_time: at, alertname: alert, exp_alerts: ring ? [{ exp_labels: { ...labels, ...ring.labels }, exp_annotations }] : [] }
  })
  return { interval: '1m', input_series, alert_rule_test }
}

/** What promtool has against the rules in these cases; empty when nothing. */
function mistakesIn(cases: Scenario[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'gitlab-webhooks-alerts-'))
  const file = join(directory, 'test.yml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [alertsFile], evaluation_interval: '1m', tests: cases.map(caseOf) }))
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' })
  rmSync(directory, { recursive: true })
  return status === 0 ? '' : stdout + stderr
}

// One run for all, and one for each only where something is wrong.
let areAllRight: boolean | undefined

for (const [title, scenario] of Object.entries(scenarios)) {
  const names = Object.keys(scenario.rings)
  test(`when ${title}, ${names.length === 0 ? 'nothing rings' : `${names.join(' and ')} rings and nothing else`}`, { skip }, () => {
    areAllRight ??= mistakesIn(Object.values(scenarios)) === ''
    assert.equal(areAllRight ? '' : mistakesIn([scenario]), '')
  })
}

test('an alert that rings, or does not, against its case would be found', { skip }, () => {
  assert.match(mistakesIn([{ series: { [of('up', worker)]: constantly(0) }, rings: {} }]), /GitlabWebhooksProcessDown/)
  assert.match(mistakesIn([{ series: {}, rings: { Silence: { labels: {}, summary: '' } } }]), /GitlabWebhooksSilence/)
})
