// The alert rules and the dashboard ask for metrics that the running processes have, with labels that these have.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { mergeRequestHook } from '../flow/flow.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { readExpression, readMetrics } from './promql.ts'
import { alertsFile, readDashboard, readRules } from './watching.ts'

let stage: Stage
let worker: Process
let metrics: ReturnType<typeof readMetrics>
const scrape = async (port: number) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()

before(async () => {
  stage = await openStage()
  const [ingest, started] = await Promise.all([stage.start('ingest'), stage.start('worker')])
  worker = started
  const { status } = await post(ingest, mergeRequestHook(stage))
  assert.equal(status, 202)
  metrics = await until(async () => {
    const seen = readMetrics(`${await scrape(ingest.port())}\n${await scrape(worker.port())}`)
    return seen.has('gitlab_webhooks_attempt_duration_seconds_bucket') &&
      seen.get('gitlab_webhooks_effects_total')?.get('outcome')?.has('done')
      ? seen
      : undefined
  }, 'an effect has been performed')
})
after(() => stage?.close())

// What Prometheus itself adds, and what is there only now and then: the days of a token that has an end.
const added = ['instance', 'job']
const theirs = new Map([['up', added]])
const sometimes = new Map([
  ['gitlab_webhooks_feed_refused_total', ['reason']],
  ['gitlab_webhooks_token_days_left', ['remote']],
])
// Labels with a fixed set of values, all of which are always there.
const complete = new Set(['state'])

function check(expression: string): void {
  const asked = readExpression(expression)
  const labelled = new Set(added)
  for (const { name, matchers } of asked.metrics) {
    const labels = metrics.get(name)
    assert.ok(labels || theirs.has(name), `${name} is not a metric: ${expression}`)
    for (const label of [...(labels?.keys() ?? []), ...(theirs.get(name) ?? sometimes.get(name) ?? [])]) labelled.add(label)
    for (const { label, value } of matchers) {
      assert.ok(labelled.has(label), `${name} has no label ${label}: ${expression}`)
      for (const one of value.split('|'))
        assert.ok(!complete.has(label) || labels?.get(label)?.has(one), `${name} has no ${label}="${one}"`)
    }
  }
  for (const label of asked.groupings) assert.ok(labelled.has(label), `nothing has a label ${label}: ${expression}`)
}

test('every alert asks for metrics and labels that are there', () => {
  for (const { expr } of readRules()) check(expr)
})

test('a job that has ended is counted, and every queue from the start', async () => {
  const counted = (queue: string) => new RegExp(`^gitlab_webhooks_jobs_ended_total\\{queue="${queue}"\\} (\\d+)$`, 'm')
  const count = async (queue: string) => Number(counted(queue).exec(await scrape(worker.port()))?.[1])
  await until(async () => (await count('phabricator')) > 0 && (await count('deliveries')) > 0, 'the jobs of the hook are counted')
  assert.equal(await count('chores'), 0)
})

test('every panel of the dashboard asks for metrics and labels that are there', () => {
  for (const { targets } of readDashboard().panels) for (const { expr } of targets) check(expr)
})

test('a metric, a label or an expression that is wrong would be found', () => {
  for (const wrong of [
    'gitlab_webhooks_queue_job > 0',
    'gitlab_webhooks_queue_jobs{status="dead"}',
    'gitlab_webhooks_queue_jobs{state="failed"}',
    'sum by (sink) (gitlab_webhooks_queue_jobs)',
    'sum(gitlab_webhooks_queue_jobs',
  ])
    assert.throws(() => check(wrong), wrong)
})

test('every metric of the service is on the dashboard or behind an alert', () => {
  const asked = [
    ...readRules().map(({ expr }) => expr),
    ...readDashboard().panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ].join(' ')
  const ours = [...metrics.keys()].filter((name) => name.startsWith('gitlab_webhooks_') && !/_(sum|count)$/.test(name))
  assert.deepEqual(
    ours.filter((name) => !asked.includes(name)),
    [],
  )
})

test('every alert has a section in the runbook', () => {
  const runbook = new URL('../../docs/runbook.md', import.meta.url)
  assert.ok(existsSync(runbook))
  const anchors = [...readFileSync(runbook, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
  for (const { alert, annotations } of readRules()) assert.ok(anchors.includes(annotations.runbook.split('#')[1] ?? ''), alert)
})

test('the panels of the dashboard have names of their own and do not overlap', () => {
  const { panels } = readDashboard()
  assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
  )
  assert.equal(new Set(cells).size, cells.length)
  for (const { gridPos } of panels) assert.ok(gridPos.x + gridPos.w <= 24)
})

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

test('promtool accepts the alert rules', { skip: !hasPromtool && 'promtool is not installed here: bin/setup promtool' }, () => {
  execFileSync('promtool', ['check', 'rules', alertsFile])
})
