// GitLab never says that it has stopped sending: whether it is quiet for unusually long shows only beside other weeks.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { migrate } from '#shared/journal/database.ts'
import { readSilence } from '#shared/journal/silence.ts'
import { type Door, openDoor } from '../support/door.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage
let door: Door
const minute = 60_000
const hour = 60 * minute
const week = 7 * 24 * hour

before(async () => {
  stage = await openStage()
  door = await openDoor(stage.databaseUrl)
  stage.defer(() => door.close())
  await migrate(stage.database)
})
after(() => stage?.close())
beforeEach(() => stage.database.deleteFrom('deliveries').execute())

let made = 0
async function came(times: number[], more: { origin?: string; kind?: string } = {}): Promise<void> {
  const rows = times.map((time) => ({
    id: `d${made++}`,
    received_at: new Date(time),
    kind: 'push',
    origin: 'hook',
    action: null,
    project: null,
    iid: null,
    username: null,
    title: null,
    ...more,
  }))
  if (rows.length > 0) await stage.database.insertInto('deliveries').values(rows).execute()
}

// One each `gap` ms, around this hour in each of the last `weeks` weeks, and today until `quiet` ms ago.
async function history({ gap, weeks = 4, quiet, now }: { gap: number; weeks?: number; quiet: number; now: number }): Promise<void> {
  for (let ago = weeks; ago >= 1; ago--) {
    const times = []
    for (let time = now - ago * week - 12 * hour; time < now - ago * week + 12 * hour; time += gap) times.push(time)
    await came(times)
  }
  await came([now - quiet])
}

type Case = { what: string; gap: number; weeks?: number; quiet: number; usual: number }
const cases: Case[] = [
  { what: 'a busy hour, in which ten minutes are always allowed', gap: minute, quiet: 5 * minute, usual: 10 * minute },
  { what: 'an hour in which half an hour may pass', gap: 30 * minute, quiet: 90 * minute, usual: 60 * minute },
  { what: 'a night with a delivery every four hours', gap: 4 * hour, quiet: 6 * hour, usual: 8 * hour },
  { what: 'two weeks of history', gap: 20 * minute, weeks: 2, quiet: hour, usual: 40 * minute },
  { what: 'too little history to know', gap: minute, weeks: 1, quiet: 3 * hour, usual: 6 * hour },
]
for (const { what, gap, weeks, quiet, usual } of cases) {
  test(`what is usual: ${what}`, async () => {
    const now = Date.now()
    await history({ gap, quiet, now, ...(weeks !== undefined && { weeks }) })
    const silence = await readSilence(stage.database, now)
    assert.deepEqual([silence?.seconds, silence?.usualSeconds, silence?.ratio], [quiet / 1000, usual / 1000, quiet / usual])
  })
}

test('a week in which all was broken does not count', async () => {
  const now = Date.now()
  await history({ gap: 10 * minute, quiet: hour, now })
  const [from, to] = [now - 2 * week - 5 * hour, now - 2 * week + 5 * hour].map((time) => new Date(time))
  if (from && to) await stage.database.deleteFrom('deliveries').where('received_at', '>=', from).where('received_at', '<=', to).execute()
  assert.equal((await readSilence(stage.database, now))?.usualSeconds, 20 * 60)
})

test('what GitLab did not send by itself breaks no silence', async () => {
  const now = Date.now()
  await came([now - 2 * hour])
  await came([now - minute], { origin: 'reconciled' })
  await came([now - minute], { origin: 'canary', kind: 'canary' })
  await came([now - minute], { origin: 'imported', kind: 'canary' })
  assert.equal((await readSilence(stage.database, now))?.seconds, 7200)
  await came([now - hour], { origin: 'imported' })
  assert.equal((await readSilence(stage.database, now))?.seconds, 3600)
})

test('a worker that starts after an unusual silence says so once, with the command that finds what was missed, and measures it', async () => {
  const now = Date.now()
  await history({ gap: 30 * minute, quiet: 3 * hour, now })
  const worker = await stage.start('worker', { DATABASE_URL: door.url })
  const warnings = () => worker.lines.filter(({ msg }) => msg === 'GitLab has been silent for unusually long')
  await until(() => warnings().length === 1, 'the worker warns')
  assert.deepEqual(
    [warnings()[0]?.level, warnings()[0]?.command],
    ['warn', `bin/ops reconcile --since ${new Date(now - 3 * hour).toISOString()} --reason 'GitLab was silent'`],
  )
  const text = await (await fetch(`http://127.0.0.1:${worker.port()}/metrics`)).text()
  const measured = (name: string) => Number(new RegExp(`^gitlab_webhooks_${name} (.*)$`, 'm').exec(text)?.[1])
  assert.ok(Math.abs(measured('seconds_since_last_delivery') - 3 * 3600) < 120, text)
  assert.ok(Math.abs(measured('silence_ratio') - 3) < 0.1)
})

test('while the database is away, and when nothing ever came, nothing is said and nothing is measured', async () => {
  await came([Date.now() - 24 * hour])
  await door.close()
  const blind = await stage.start('worker', { DATABASE_URL: door.url })
  const measures = async (port: number) => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.doesNotMatch(await measures(blind.port()), /^gitlab_webhooks_s(econds_since|ilence)\w* /m)
  await door.open()
  await stage.database.deleteFrom('deliveries').execute()
  const idle = await stage.start('worker', { DATABASE_URL: door.url })
  assert.doesNotMatch(await measures(idle.port()), /^gitlab_webhooks_s(econds_since|ilence)\w* /m)
  assert.ok(![...blind.lines, ...idle.lines].some(({ msg }) => msg?.includes('silent')))
})
