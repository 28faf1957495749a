// The public page and the feed in a real Chromium.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { migrate } from '#shared/journal/database.ts'
import { exampleAddress, examples } from '../../apps/ingest/pages/examples.ts'
import { startAnswering } from '../support/answers.ts'
import { about, end, record } from '../support/journaled.ts'
import { publisherOf } from '../support/relay.ts'
import { send } from '../support/request.ts'
import { freePort } from '../support/servers.ts'
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
async function happens(path: string, web_url = 'https://gitlab.example/a/b'): Promise<void> {
  const meta = { id: `hook-${count++}`, dt: new Date().toISOString(), kind: 'push' }
  await publisherOf(stage, meta.id)([{ object_kind: 'push', project: { path_with_namespace: path, web_url }, meta }])
}

test('the page may load and run nothing but its own', async () => {
  const { status, headers, body } = await send({ port, path: '/', method: 'GET' })
  assert.equal(status, 200)
  assert.match(String(headers['content-security-policy']), /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.doesNotMatch(body.toString(), /(src|href)="(https?:)?\/\//)
})

test('the page shows what happened in the last hour and what happens now, as text', { skip }, async () => {
  await happens('<img src=x onerror=alert(1)>', 'javascript:alert(2)')
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
    examples.map(({ text }) => text.replaceAll(exampleAddress, base.slice(0, -1))),
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

test('an EventSource of the browser reads the feed from another site, and comes back by itself', { skip, timeout: 60_000 }, async () => {
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
  await until(async () => (await seen()) === 'before meanwhile', 'it has what came meanwhile', 30_000)
  await happens('after')
  await until(async () => (await seen()) === 'before meanwhile after', 'it goes on')
})
