// The public page and the feed in a real Chromium.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { migrate } from '#shared/journal/database.ts'
import { exampleFeed, examples } from '../../apps/ingest/pages/examples.ts'
import { startAnswering } from '../support/answers.ts'
import { about, end, record } from '../support/journaled.ts'
import { freePort } from '../support/ports.ts'
import { publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'
import { openBrowser, skip, visit } from './browser.ts'

let stage: Stage
let browser: Browser
let base: string
let port: number
let stop: () => Promise<unknown>
const start = async () => {
  stop = (await stage.start('ingest', { PORT: String(port) })).stop
}

before(async () => {
  stage = await openStage()
  port = await freePort()
  base = `http://127.0.0.1:${port}/`
  await start()
  if (skip !== false) return
  browser = await openBrowser()
  stage.defer(() => browser.close())
})
after(() => stage.close())

let count = 0
async function happens(path: string, more: { web_url?: string; dt?: string; who?: string } = {}): Promise<void> {
  const { web_url = 'https://gitlab.example/a/b', dt = new Date().toISOString(), who = 'alice' } = more
  const meta = { id: `hook-${count++}`, dt, kind: 'push', stream: 'gitlab-webhooks' }
  const push = { object_kind: 'push', ref: 'refs/heads/main', user_username: who, total_commits_count: 2 }
  await publisherOf(stage, meta.id)([{ ...push, project: { path_with_namespace: path, web_url }, meta }])
}

const screenshot = (name: string) => new URL(`screenshots/feed-${name}.png`, import.meta.url).pathname

test('the page may load and run nothing but its own', async () => {
  const { status, headers, body } = await send({ port, path: '/', method: 'GET' })
  assert.equal(status, 200)
  assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.doesNotMatch(body.toString(), /(src=|<link[^>]*href=)"(https?:)?\/\//)
})

test('the page shows what happened in the last hour and what happens now, as text', { skip }, async () => {
  await happens('<img src=x onerror=alert(1)>', { web_url: 'javascript:alert(2)', who: '<b>x</b>' })
  const { page, complaints } = await visit(browser, base, { viewport: { width: 360, height: 700 }, colorScheme: 'dark' })
  await page.goto('/')
  await page.getByText('<img src=x onerror=alert(1)>').waitFor()
  await happens('repos/live')
  await page.getByRole('link', { name: 'repos/live' }).waitFor()
  assert.equal(await page.locator('#events img, #events a[href^="javascript"]').count(), 0)
  assert.equal(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'), false)
  const ground = () => page.evaluate('getComputedStyle(document.documentElement).colorScheme')
  assert.equal(await ground(), 'light dark')
  const shown = await page.locator('pre').allTextContents()
  assert.deepEqual(
    shown,
    examples.map(({ text }) => text.replaceAll(exampleFeed, `${base}sse/`)),
  )
  assert.deepEqual(complaints, [])
})

test('what came of a merge request is found by its address, read without JavaScript, and kept up to date with it', { skip }, async () => {
  await migrate(stage.database)
  const title = '<img src=x onerror=alert(1)>'
  const [, first = ''] = await record(
    stage.database,
    about('repos/a', 12, { title, description: `Mend it\n\n**Bug:** T142` }),
    about('repos/a', 12, { title, description: 'Bug: T1\nBug: T2', action: 'reopen' }),
  )
  await end(stage.database, `${first}/commits/commits`, { state: 'dead', reason: `a reason that is ${'very '.repeat(30)}long` })
  await end(stage.database, `${first}/gitlab-mentions/note`, {
    state: 'done',
    link: 'https://gitlab.example/a/b/-/merge_requests/12#note_5',
  })
  for (const [name, options] of Object.entries<BrowserContextOptions>({
    phone: { viewport: { width: 360, height: 700 }, javaScriptEnabled: false },
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
  })) {
    const { page, complaints } = await visit(browser, base, options)
    await page.goto('/')
    await page.getByLabel('Its address').fill('https://gitlab.example/repos/a/-/merge_requests/12/diffs')
    await page.getByRole('button', { name: 'Look' }).click()
    await page.getByRole('heading', { name: 'repos/a!12' }).waitFor()
    assert.match((await page.locator('.lead').textContent()) ?? '', /^2 comments waiting \(T1, T2\); 1 note made/)
    assert.equal(await page.locator('main img').count(), 0)
    if (name === 'phone')
      assert.equal(await page.locator('#story').evaluate(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth), false)
    await page.screenshot({ path: new URL(`screenshots/merge-request-${name}.png`, import.meta.url).pathname, fullPage: true })
    if (name === 'dark') {
      await end(stage.database, `${first}/phabricator/T1`, { state: 'done', link: 'https://phabricator.example/T1' })
      await page.getByRole('link', { name: 'T1' }).waitFor()
    }
    assert.deepEqual(complaints, [])
  }
})

test('without JavaScript it shows the newest that the boxes ask for, and the address of just that feed', { skip }, async () => {
  await happens('repos/one')
  const meta = { id: 'opened', dt: new Date().toISOString(), kind: 'merge_request', stream: 'gitlab-webhooks' }
  const project = { path_with_namespace: 'repos/asked' }
  await publisherOf(stage, 'opened')([{ object_kind: 'merge_request', object_attributes: { action: 'open', iid: 7 }, project, meta }])
  await happens('other/two')
  const { page, complaints } = await visit(browser, base, { javaScriptEnabled: false })
  await page.goto('/')
  await until(async () => {
    await page.reload()
    return (await page.getByText('other/two').count()) > 0
  }, 'the newest are shown')
  assert.match(
    (await page.locator('#events li').first().textContent()) ?? '',
    /push\s+alice\s+pushed 2 commits to\s+main\s+in\s+other\/two/,
  )
  assert.equal(await page.locator('.story[href]').first().getAttribute('href'), 'merge-requests/repos/asked/7')
  await page.getByLabel('Project').fill('repos/*')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.getByText('repos/one').first().waitFor()
  assert.equal(await page.getByText('other/two').count(), 0)
  assert.equal(await page.locator('#feed').textContent(), `${base}sse/?project=repos/*`)
  await page.goto('/?kind=%C3%A4')
  assert.equal(await page.getByRole('status').textContent(), 'kind: a value has characters that it cannot have')
  assert.deepEqual(complaints, [])
})

test('by the keyboard alone one filters, copies, and reads back to the beginning', { skip }, async () => {
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3600_000).toISOString()
  for (let number = 70; number > 0; number--) await happens(`long/${number}`, { dt: hoursAgo(number) })
  const { page, complaints } = await visit(browser, base, { viewport: { width: 1000, height: 700 } })
  await page.goto('/')
  await page.getByLabel('Project').focus()
  await page.keyboard.type('long/*')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/?project=long/*')
  await page.getByText('Live: what happens appears here by itself.').waitFor()
  assert.equal(await page.locator('#feed').textContent(), `${base}sse/?project=long/*`)
  const numbers = async () => (await page.locator('.where').allTextContents()).map((text) => Number(text.replace('long/', '')))
  await until(async () => {
    await page.keyboard.press('End')
    return (await numbers()).length >= 70
  }, 'all are there')
  assert.deepEqual(
    await numbers(),
    Array.from({ length: 70 }, (_, index) => index + 1),
  )
  await page.getByRole('button', { name: 'None in the week before. Search further back' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('There is nothing earlier.').waitFor()
  await page.locator('summary', { hasText: 'Read this' }).focus()
  await page.keyboard.press('Enter')
  await page.locator('pre + .copy').last().focus()
  await page.keyboard.press('Enter')
  await page.getByText(/^(Copied|Selected)$/).waitFor()
  await page.screenshot({ path: screenshot('light') })
  assert.deepEqual(complaints, [])
})

test('the page says that its connection broke off, and then misses nothing', { skip }, async () => {
  const { page } = await visit(browser, base, { viewport: { width: 380, height: 800 }, colorScheme: 'dark' })
  await page.goto('/?project=broken/*')
  await page.getByText('Live: what happens appears here by itself.').waitFor()
  await stop()
  await page.getByText('The connection broke off.').waitFor()
  await happens('broken/meanwhile')
  await start()
  await page.getByText('broken/meanwhile').waitFor()
  await page.getByText('Live: what happens appears here by itself.').waitFor()
  assert.equal(await page.getByText('broken/meanwhile').count(), 1)
  await page.screenshot({ path: screenshot('dark-phone'), fullPage: true })
})

test('an EventSource of the browser reads the feed from another site, and comes back by itself', { skip }, async () => {
  const { page } = await visit(browser, base)
  await using elsewhere = await startAnswering({ body: '<!doctype html><title>Another site</title>' })
  await page.goto(elsewhere.url)
  await page.evaluate(`
    window.seen = []
    const source = new EventSource('${base}sse/?kind=push')
    source.onmessage = ({ data }) => seen.push(JSON.parse(data).project.path_with_namespace)
  `)
  const seen = async () => String(await page.evaluate('seen.filter((path) => path !== "knock").join(" ")'))
  await until(async () => {
    await happens('knock')
    return (await page.evaluate('seen.length')) !== 0
  }, 'it reads along')
  await happens('before')
  await until(async () => (await seen()) === 'before', 'it has the first')
  await stop()
  await happens('meanwhile')
  await start()
  await until(async () => (await seen()) === 'before meanwhile', 'it has what came meanwhile')
  await happens('after')
  await until(async () => (await seen()) === 'before meanwhile after', 'it goes on')
})
