// Programs that people read the feed with, behind proxies that nobody has told about streams: each reads along, is cut off in the
// middle of a message, and comes back without a loss. All of them do so at the same time.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { browserPatience, openBrowser } from '../browser/browser.ts'
import { type Remote, startAnswering } from '../support/answers.ts'
import { type Cutter, startCutter } from '../support/cutter.ts'
import { readFeed } from '../support/feed.ts'
import { freePort } from '../support/ports.ts'
import { proxyNames, skipWithout, startProxy } from '../support/proxies.ts'
import { type FieldReader, fieldReaders } from '../support/readers.ts'
import { type Publish, publisherOf } from '../support/relay.ts'
import type { Process } from '../support/service.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

type Way = { reader: FieldReader; proxy: string; url: string; cutter: Cutter; seen: string[] }

const mark = 'here-it-is-cut-off'
const subjects = ['first', 'live', mark, 'after']
const ways: Way[] = []
const proxies = new Map<string, number>()
let stage: Stage
let publish: Publish
let ingest: Process
let port: string
let browser: Browser | undefined
let elsewhere: Remote | undefined

before(async () => {
  stage = await openStage()
  publish = publisherOf(stage)
  port = String(await freePort())
  ingest = await stage.start('ingest', { PORT: port })
  for (const name of proxyNames.filter((name) => skipWithout(name) === false)) {
    const proxy = await startProxy(name, ingest.port())
    stage.defer(proxy.stop)
    proxies.set(name, proxy.port)
  }
  for (const reader of fieldReaders.filter(({ skip }) => skip === false)) await open(reader)
  for (const subject of subjects) {
    await happens(subject)
    // Whoever did not have the one before is not waited for.
    const following = ways.filter(({ seen }) => subjects.slice(0, subjects.indexOf(subject)).every((earlier) => seen.includes(earlier)))
    await Promise.allSettled(following.map(({ seen }) => until(() => seen.includes(subject), subject)))
  }
})
after(() => stage.close())

async function open(reader: FieldReader): Promise<void> {
  const mine: Way[] = []
  for (const [proxy, target] of proxies) {
    const cutter = await startCutter(target, mark)
    stage.defer(cutter.stop)
    mine.push({ reader, proxy, cutter, url: `http://127.0.0.1:${cutter.port}/sse/?kind=push&since=0`, seen: [] })
  }
  ways.push(...mine)
  const take = (url: string, data: string) => void mine.find((way) => way.url === url)?.seen.push(subjectOf(data))
  stage.defer(
    await reader.follow(
      mine.map(({ url }) => url),
      take,
      openPage,
    ),
  )
}

// Chromium runs once.
async function openPage(): Promise<Page> {
  if (browser === undefined) {
    browser = await openBrowser()
    elsewhere = await startAnswering({ body: '<!doctype html><title>Another site</title>' })
    stage.defer(() => elsewhere?.[Symbol.asyncDispose]())
    stage.defer(() => browser?.close())
  }
  const page = await browser.newPage()
  page.setDefaultTimeout(browserPatience)
  await page.goto(elsewhere?.url ?? '')
  return page
}

async function happens(subject: string): Promise<void> {
  const meta = { id: subject, dt: new Date().toISOString(), kind: 'push' }
  await publish([{ object_kind: 'push', subject, meta }])
}

function subjectOf(data: string): string {
  const [, subject = data] = /"subject":"([\w-]+)"/.exec(data) ?? []
  return subject
}

for (const { name, skip } of fieldReaders) {
  for (const proxy of proxyNames) {
    test(`${name}, through ${proxy}, reads along, and misses nothing when it is cut off`, { skip: skip || skipWithout(proxy) }, () => {
      const way = ways.find((one) => one.reader.name === name && one.proxy === proxy)
      assert.deepEqual(way?.seen, subjects)
      assert.equal(way.cutter.hasCut(), true)
    })
  }
}

for (const name of proxyNames) {
  test(`through ${name} as it comes the first bytes, each message and the end come at once`, { skip: skipWithout(name) }, async () => {
    const url = `http://127.0.0.1:${proxies.get(name)}/sse/`
    const reader = await readFeed(url)
    const resuming = await readFeed(url, { 'last-event-id': '0-0' })
    await until(() => reader.comments.length > 0 && resuming.messages.length > 0, 'the streams have begun')
    for (const message of [1, 2, 3]) {
      const [cursor] = await publish([{ message }])
      await until(() => [reader, resuming].every(({ messages }) => messages.at(-1)?.id === cursor), 'the message is there')
    }
    assert.equal((await fetch(`${url}?since=never`)).status, 400)
    await ingest.stop()
    await Promise.all([reader.ended, resuming.ended])
    assert.ok(reader.retries.length > 1)
    ingest = await stage.start('ingest', { PORT: port })
  })
}
