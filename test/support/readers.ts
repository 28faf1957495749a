// Programs that people read the feed with, each following several addresses at once for ever.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { EventSource as PackagedEventSource } from 'eventsource'
import type { Page } from 'playwright-core'
import { EventSource as UndiciEventSource } from 'undici'
import { skip as skipBrowser } from '../browser/browser.ts'
import { letGo, onLeash } from './leashed.ts'
import { skipWithout } from './proxies.ts'

/** Called with each message. */
type OnData = (url: string, data: string) => void
/** Begins to read; answers what ends it. `openPage` opens a page of some other site. */
type Follow = (urls: string[], onData: OnData, openPage: () => Promise<Page>) => Promise<() => unknown>
export type FieldReader = { name: string; skip: string | false; follow: Follow }

/** Runs a program with the addresses; it prints an address and a message in each line. */
function run(command: string, file: string): Follow {
  return (urls, onData) => {
    const child = onLeash(command, [new URL(`../feed/programs/${file}`, import.meta.url).pathname, ...urls])
    createInterface({ input: child.stdout }).on('line', (line) => {
      const at = line.indexOf(' ')
      onData(line.slice(0, at), line.slice(at + 1))
    })
    return Promise.resolve(() => letGo(child))
  }
}

// Debian's packages are for Debian's own.
const pythons = ['/usr/bin/python3', 'python3']

function inPython(module: string): FieldReader {
  const python = pythons.find((one) => spawnSync(one, ['-c', `import ${module}`]).status === 0)
  const skip = python === undefined && `there is no ${module} for Python; bin/setup python3-${module} installs it where Debian has it`
  return { name: `${module} of Python`, skip, follow: run(python ?? '', `read_${module}.py`) }
}

function bySource(Source: typeof PackagedEventSource | typeof UndiciEventSource): Follow {
  return (urls, onData) => {
    const sources = urls.map((url) => {
      const source = new Source(url)
      source.onmessage = ({ data }: { data: unknown }) => onData(url, String(data))
      return source
    })
    return Promise.resolve(() => sources.map((source) => source.close()))
  }
}

/** In a page, with `follow`, a program of the page: a function of an address and of what takes the data. */
function inChromium(name: string, follow: string, scripts: () => string[] = () => []): FieldReader {
  return {
    name,
    skip: skipBrowser,
    async follow(urls, onData, openPage) {
      const page = await openPage()
      await page.exposeFunction('tell', onData)
      for (const content of scripts()) await page.addScriptTag({ content })
      await page.evaluate(`for (const url of ${JSON.stringify(urls)}) (${follow})(url, (data) => tell(url, data))\nundefined`)
      return () => page.close()
    },
  }
}

const require = createRequire(import.meta.url)
const sourceOf = (file: string) => readFileSync(require.resolve(file), 'utf8')
const polyfill = () => [sourceOf('event-source-polyfill/src/eventsource.min.js')]
const ofBrowsers = (name: string) => `(url, take) => { new ${name}(url).onmessage = ({ data }) => take(data) }`

// It is published for bundlers only.
const bundle = () => {
  const [parse, fetch] = ['parse', 'fetch'].map((file) => sourceOf(`@microsoft/fetch-event-source/lib/cjs/${file}.js`))
  return [`const parts = {}\n;((exports) => {${parse}\n})(parts)\n;((exports, require) => {${fetch}\n})(parts, () => parts)`]
}
// By itself it takes a cursor before its message is whole, so that one that is cut off would be lost, and does not come back after
// an end.
const fetching = `(url, take) => {
  let cursor
  const headersOf = (headers) => (cursor === undefined ? headers : { ...headers, 'last-event-id': cursor })
  void parts.fetchEventSource(url, {
    openWhenHidden: true,
    fetch: (input, init) => fetch(input, { ...init, headers: headersOf(init.headers) }),
    onmessage: ({ id, data }) => {
      if (data) take(data)
      if (id) cursor = id
    },
    onclose: () => {
      throw new Error('The feed goes on.')
    },
  })
}`

export const fieldReaders: FieldReader[] = [
  { name: 'eventsource', skip: false, follow: bySource(PackagedEventSource) },
  { name: 'undici', skip: false, follow: bySource(UndiciEventSource) },
  inChromium('EventSource of Chromium', ofBrowsers('EventSource')),
  inChromium('event-source-polyfill in Chromium', ofBrowsers('EventSourcePolyfill'), polyfill),
  inChromium('@microsoft/fetch-event-source in Chromium', fetching, bundle),
  inPython('requests'),
  inPython('sseclient'),
  inPython('aiohttp'),
  { name: 'curl', skip: skipWithout('curl'), follow: run('sh', 'curl.sh') },
]
