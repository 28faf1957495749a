// An operator at the page, in a real browser: the way in, and a dead letter repaired.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { logIn, openBrowser, skip, visit } from './browser.ts'

const token = 'the token of the operators'
let stage: Stage
let browser: Browser
let ingest: Process
let base: string

before(async () => {
  if (skip) return
  stage = await openStage({ OPS_TOKEN: token })
  const [first, worker] = await Promise.all([stage.start('ingest'), stage.start('worker')])
  ingest = first
  base = `http://127.0.0.1:${worker.port()}`
  browser = await openBrowser()
  stage.defer(() => browser.close())
})
after(() => stage?.close())

// A merge request that names a task which is not there.
async function letDie(id: string, task: number): Promise<void> {
  const body = hook('merge-request-open', stage.sandbox.gitlab.url)
  const updated_at = new Date(Date.UTC(2026, 7, 20) + task).toISOString()
  if (isObject(body.object_attributes)) Object.assign(body.object_attributes, { description: `Bug: T${task}`, updated_at })
  await post(ingest, body, { 'idempotency-key': id })
  const dead = stage.database.selectFrom('effects').select('id').where('task', '=', task).where('state', '=', 'dead')
  await until(async () => (await dead.execute()).length === 1, `the comment on T${task} is a dead letter`)
}

test('who does not know the token stays outside', { skip }, async () => {
  const { page } = await visit(browser, base)
  await logIn(page, 'Mallory', 'a guess')
  assert.match((await page.getByRole('alert').textContent()) ?? '', /not the token/)
  await page.goto('/dead')
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Log in')
  assert.match(page.url(), /to=%2Fdead/)
})

test('an operator finds a dead letter, sees what a replay would do, replays it and sees it done', { skip }, async () => {
  await letDie('lost-task', 9991)
  stage.sandbox.phabricator.addTask({ id: 9991, title: 'Made later' })
  const { page, complaints } = await visit(browser, base)
  await logIn(page, 'Ada', token)
  await page.getByRole('link', { name: 'dead letters', exact: true }).click()
  await page.getByLabel('phabricator T9991').check()
  await page.getByRole('button', { name: 'Dry run' }).click()
  await page.getByText('would comment on T9991').waitFor()
  assert.deepEqual(stage.sandbox.phabricator.comments(9991), [], 'a dry run does nothing')

  await page.getByLabel('Reason').fill('The task is there now')
  await page.getByRole('button', { name: 'Replay' }).click()
  await page.getByText('1 of 1 processed').waitFor()
  await page.locator('.state', { hasText: 'done' }).waitFor()
  assert.equal(stage.sandbox.phabricator.comments(9991).length, 1)

  await page.getByRole('link', { name: 'Audit log' }).click()
  const act = page.getByRole('row', { name: /replay/ })
  assert.match((await act.textContent()) ?? '', /Ada.*The task is there now/)
  assert.deepEqual(complaints, [])
})

test('a replay goes on when nobody looks, every operator sees it, and any of them can stop it', { skip }, async () => {
  await Promise.all([9981, 9982, 9983, 9984, 9985].map((task) => letDie(`slow-${task}`, task)))
  const [ada, grace] = [await visit(browser, base), await visit(browser, base)]
  await logIn(ada.page, 'Ada', token)
  await logIn(grace.page, 'Grace', token)
  await ada.page.goto('/dead')
  for (const box of await ada.page.getByRole('checkbox').all()) await box.check()
  await ada.page.getByLabel('Reason').fill('Once more')
  await ada.page.getByLabel('At most this many a second').fill('0.1')
  await ada.page.getByRole('button', { name: 'Replay' }).click()
  await ada.page.getByText(/begun/).waitFor()
  const address = ada.page.url()
  await ada.page.close()

  await grace.page.goto(address)
  await grace.page.getByText(/[1-4] of 5 processed/).waitFor()
  await grace.page.getByText('by Ada').waitFor()
  await grace.page.getByLabel('Reason').fill('That is enough')
  await grace.page.getByRole('button', { name: 'Stop' }).click()
  await grace.page.locator('.state', { hasText: 'interrupted' }).waitFor()
  await grace.page.getByText('stopped by Grace').waitFor()
  await grace.page.getByLabel('Reason').fill('Or not')
  await grace.page.getByRole('button', { name: 'Continue' }).click()
  await grace.page.locator('.state', { hasText: 'running' }).waitFor()
  assert.equal(grace.page.url(), address, 'it is the same replay')
  assert.deepEqual([...ada.complaints, ...grace.complaints], [])
})

test('all that match a filter are let go at once, however many are on a page, and no others', { skip }, async () => {
  for (const [id, task] of [
    ['gone-1', 9971],
    ['gone-2', 9972],
    ['kept-1', 9973],
  ] as const)
    await letDie(id, task)
  const { page } = await visit(browser, base)
  await logIn(page, 'Ada', token)
  await page.goto('/dead?id=gone&limit=1')
  await page.getByLabel('all 2 that match the filter').check()
  await page.getByRole('button', { name: 'Discard' }).click()
  assert.equal(await page.getByRole('status').count(), 0, 'nothing happens without a reason')
  await page.getByLabel('Reason').fill('Nobody misses them')
  await page.getByRole('button', { name: 'Discard' }).click()
  await page.getByText('2 discarded').waitFor()
  await page.goto('/dead?id=gone')
  await page.getByText('No dead letter matches').waitFor()
  await page.goto('/dead?id=kept')
  await page.getByLabel('phabricator T9973').waitFor()
})

test('all of it can be done with nothing but the keyboard', { skip }, async () => {
  await letDie('by-keyboard', 9995)
  stage.sandbox.phabricator.addTask({ id: 9995, title: 'Made later' })
  const { page } = await visit(browser, base)
  const { keyboard } = page
  const focused = () => page.evaluate('document.activeElement.id || document.activeElement.textContent.trim()')
  const tabTo = async (what: string) => {
    for (let steps = 0; (await focused()) !== what; steps++) {
      assert.ok(steps < 60, `${what} can be reached`)
      await keyboard.press('Tab')
    }
  }
  await page.goto('/dead?task=T9995')
  await keyboard.type('Ada')
  await tabTo('token')
  await keyboard.type(token)
  await keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Dead letters' }).waitFor()

  await keyboard.press('Tab')
  assert.equal(await focused(), 'Skip to the content')
  await keyboard.press('Enter')
  await tabTo('letter-0')
  await keyboard.press('Space')
  await tabTo('repair-reason')
  await keyboard.type('By hand')
  await tabTo('Replay')
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
  assert.equal(outline, 'solid', 'where the focus is can be seen')
  await keyboard.press('Enter')
  await page.locator('.state', { hasText: 'done' }).waitFor()
  assert.equal(stage.sandbox.phabricator.comments(9995).length, 1)
})
