// Every page of the operator's page in a real browser, with names and titles from somebody who wishes us ill. The
// pictures it takes are in `screenshots/`, for whoever wants to look.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { hook } from '../support/fixtures.ts'
import { isObject } from '../support/objects.ts'
import type { Process } from '../support/service.ts'
import { openStage, post, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { logIn, openBrowser, skip, visit } from './browser.ts'

const token = 'the token of the operators'
const hostile = `</small><script>document.title = 'ours'</script><img src=x onerror="alert(1)">\u202e“&'</title>`
const paths = [
  '/',
  '/deliveries',
  '/deliveries/hostile',
  '/dead',
  '/dead?since=1h',
  '/dead?since=bad',
  '/replays',
  '/maintenance',
  '/explain?about=repos/releng/gitlab-demo!1',
  '/audit',
  '/reviewers',
  '/doctor',
]
let stage: Stage
let browser: Browser
let ingest: Process
let base: string
let storageState: NonNullable<BrowserContextOptions['storageState']>

before(async () => {
  if (skip) return
  stage = await openStage({ OPS_TOKEN: token })
  const [first, worker] = await Promise.all([stage.start('ingest'), stage.start('worker')])
  ingest = first
  base = `http://127.0.0.1:${worker.port()}`
  stage.sandbox.wiki.save('Git/Reviewers', '=== <b>repos</b>/* ===\n* {{Gitlab-mention|alice|file_regexp=<nowiki>(</nowiki>}}\n')
  const body = hook('merge-request-open', stage.sandbox.gitlab.url)
  if (isObject(body.object_attributes)) Object.assign(body.object_attributes, { title: hostile, description: 'Bug: T9991' })
  if (isObject(body.user)) body.user.username = '<b>alice</b>'
  await post(ingest, body, { 'idempotency-key': 'hostile' })
  await post(ingest, hook('push', stage.sandbox.gitlab.url), { 'idempotency-key': 'harmless' })
  const dead = stage.database.selectFrom('effects').select('id').where('state', '=', 'dead')
  await until(async () => (await dead.execute()).length > 0, 'there is a dead letter')
  const deliveries = stage.database.selectFrom('deliveries').select('id')
  await until(async () => (await deliveries.execute()).length === 2, 'both deliveries are in the journal')
  browser = await openBrowser()
  stage.defer(() => browser.close())
  const { page } = await visit(browser, base)
  await logIn(page, '<i>Ada</i>', token)
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  storageState = await page.context().storageState()
})
after(() => stage?.close())

test('no page does what a title or a name tells it, asks anybody else, or breaks its own policy', { skip }, async () => {
  const { page, complaints } = await visit(browser, base, { storageState })
  for (const path of paths) {
    const answer = await page.goto(path)
    assert.equal(answer?.status(), path.includes('bad') ? 400 : 200, path)
    assert.match(await page.title(), / · gitlab-webhooks$/, path)
    assert.equal(await page.locator('main script, main img, main b b, header i').count(), 0, path)
  }
  await page.goto('/deliveries')
  assert.match((await page.locator('.title').first().textContent()) ?? '', /<script>document\.title/)
  assert.deepEqual(
    complaints.filter((complaint) => !complaint.includes('400 (Bad Request)')),
    [],
  )
})

test('tables are sorted by any column, by mouse and by keyboard, and stay so; a dead letter leads to its task and merge request', {
  skip,
}, async () => {
  const { page, complaints } = await visit(browser, base, { storageState })
  await page.goto('/')
  const queues = page.getByRole('table', { name: 'Queues' })
  const names = async () => await queues.locator('tbody th').allTextContents()
  const sorted = (await names()).toSorted()
  await queues.getByRole('button', { name: 'Queue' }).click()
  assert.deepEqual(await names(), sorted)
  await queues.getByRole('button', { name: 'Queue' }).focus()
  await page.keyboard.press('Enter')
  assert.deepEqual(await names(), sorted.toReversed())
  await queues.getByRole('button', { name: 'Dead' }).click()
  assert.equal((await names())[0] === 'phabricator', false)
  await queues.getByRole('button', { name: 'Dead' }).click()
  assert.equal((await names())[0], 'phabricator')
  const renewed = page.waitForResponse((answer) => answer.url() === `${base}/`)
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await renewed
  await until(async () => (await names())[0] === 'phabricator', 'what is new is sorted as before')
  await page.goto('/dead')
  const links = page.getByRole('table', { name: 'Dead letters, latest first' }).getByRole('link')
  const addresses = await links.evaluateAll((all) => all.map((link) => link.getAttribute('href')))
  assert.deepEqual(addresses, [
    `${stage.sandbox.phabricator.url}/T9991`,
    `${stage.sandbox.gitlab.url}/repos/releng/gitlab-demo/-/merge_requests/1`,
    '/deliveries/hostile',
  ])
  assert.deepEqual(complaints, [])
})

test('the raw queues are shown without asking anybody else', { skip }, async () => {
  const { page, complaints } = await visit(browser, base, { storageState })
  await page.goto('/queues')
  await page.getByRole('link', { name: 'gitlab-mentions' }).first().click()
  await page
    .getByText(/hostile\/gitlab-mentions/)
    .first()
    .waitFor()
  assert.equal(await page.getByRole('button', { name: /retry|remove|clean|pause/i }).count(), 0)
  assert.deepEqual(complaints, [])
})

test('without JavaScript everything can be read, and pages say which part of the reviewers page is wrong', { skip }, async () => {
  const { page } = await visit(browser, base, { storageState, javaScriptEnabled: false })
  await page.goto('/reviewers')
  assert.match((await page.getByRole('row', { name: /alice/ }).textContent()) ?? '', /<b>repos<\/b>.*file_regexp is not valid/)
  await page.goto('/')
  assert.equal(await page.getByRole('img', { name: /Deliveries: 2 deliveries/ }).count(), 1)
  await page.getByRole('link', { name: 'Deliveries' }).click()
  await page.getByRole('link', { name: 'merge_request open' }).click()
  await page.getByText('What each sink decided').first().waitFor()
  assert.equal(await page.getByRole('heading', { name: 'phabricator T9991 dead' }).count(), 1)
})

test('a long list goes on from page to page, with every row on one of them', { skip }, async () => {
  const { page } = await visit(browser, base, { storageState })
  await page.goto('/deliveries?limit=1')
  const first = await page.locator('td code').getAttribute('title')
  await page.getByRole('link', { name: 'Older' }).click()
  const second = await page.locator('td code').getAttribute('title')
  assert.deepEqual(new Set([first, second]), new Set(['harmless', 'hostile']))
  assert.equal(await page.getByRole('link', { name: 'Older' }).count(), 0)
})

test('a delivery is sent through again, for a reason that is written down', { skip }, async () => {
  const { page } = await visit(browser, base, { storageState })
  await page.goto('/deliveries/harmless')
  await page.getByLabel('Reason').fill('To be sure')
  await page.getByRole('button', { name: 'Redeliver' }).click()
  await page.getByText('The delivery is on its way again').waitFor()
  await page.goto('/audit')
  assert.match((await page.getByRole('row', { name: /redeliver/ }).textContent()) ?? '', /<i>Ada<\/i>.*To be sure.*harmless/)
})

test('the numbers of the overview are live', { skip }, async () => {
  const { page } = await visit(browser, base, { storageState })
  await page.goto('/')
  await page.getByRole('row', { name: /sse running/ }).waitFor()
  await stage.redis.hset(`{${stage.environment.REDIS_PREFIX}}:sse:meta`, 'paused', '1')
  await page.getByRole('row', { name: /sse paused/ }).waitFor()
  await stage.redis.hdel(`{${stage.environment.REDIS_PREFIX}}:sse:meta`, 'paused')
})

for (const [name, options] of Object.entries<BrowserContextOptions>({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 375, height: 740 } },
}))
  test(`the pages fit their screen: ${name}`, { skip }, async () => {
    const { page } = await visit(browser, base, { storageState, viewport: { width: 1200, height: 800 }, ...options })
    for (const [path, picture] of [
      ['/', 'overview'],
      ['/dead', 'dead'],
      ['/deliveries/hostile', 'story'],
      ['/maintenance', 'maintenance'],
      ['/explain?about=repos/releng/gitlab-demo!1', 'merge-request'],
    ] as const) {
      await page.goto(path)
      await page.screenshot({ path: new URL(`screenshots/${picture}-${name}.png`, import.meta.url).pathname, fullPage: true })
      assert.equal(await page.evaluate('document.documentElement.scrollWidth > innerWidth'), false, `${path} is not wider`)
    }
  })
