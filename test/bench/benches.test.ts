// The benchmarks run and show their tables, in their short form. How fast anything is does not matter here.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { attacks } from '../hostile/attacks.ts'

const programOf = (name: string) => new URL(`${name}.ts`, import.meta.url).pathname

/** The rows of the table that `node test/bench/<name>.ts --short` prints, as cells; its first line is like `first`. */
async function rowsOf(name: string, { args = [], first = /;/ }: { args?: string[]; first?: RegExp } = {}): Promise<string[][]> {
  const { stdout } = await promisify(execFile)(process.execPath, [programOf(name), '--short', ...args])
  assert.match(stdout, /^.+, \d+ cores, Node\.js \d+\.\S+, (Redis|MariaDB) \d+\.\S+;/)
  assert.match(stdout.split('\n')[0] ?? '', first)
  const lines = stdout.split('\n')
  const rule = lines.findIndex((line) => /^-+( +-+)+$/.test(line))
  return lines.slice(rule + 1, lines.indexOf('', rule)).map((line) => line.split(/ {2,}/).filter((cell) => cell !== ''))
}

function assertSane(cells: string[]): void {
  for (const cell of cells) assert.ok(Number(cell) > 0, cells.join('  '))
}

test('the benchmark of POST /hooks compares the service with its baselines, as Redis is told to write', async () => {
  const rows = await rowsOf('hooks', { args: ['--aof', 'always'], first: /; AOF always;/ })
  const compared = ['bare Hono', 'Hono + add', 'the service', ...(rows.length === 4 ? ['webhook'] : [])]
  assert.deepEqual(
    rows.map(([connections, who]) => [connections, who]),
    compared.map((who) => ['8', who]),
  )
  // In so short a time the system counts no CPU for `webhook`, and Redis may hold less memory at the end than before.
  const shown: Record<string, number> = { 'bare Hono': 6, 'Hono + add': 7, 'the service': 7, webhook: 5 }
  for (const [, who = '', ...figures] of rows) assertSane(figures.slice(0, shown[who]))
})

test('the benchmark of the feed compares the service with plain node:http at each pace', async () => {
  const rows = await rowsOf('feed')
  const ours = rows.filter(([, who]) => who === 'the service')
  assert.deepEqual(
    ours.map(([pace]) => pace),
    ['20/s', 'as fast as possible'],
  )
  for (const [, , delivered, ratio, , , ...times] of ours) assertSane([delivered ?? '', ratio ?? '', ...times.slice(0, 2)])
})

test('a benchmark says beforehand that it may not open as many connections as it is asked to', async () => {
  const line = `ulimit -n 300; exec ${process.execPath} ${programOf('feed')} --short --subscribers 5000`
  await assert.rejects(
    promisify(execFile)('sh', ['-c', line]),
    /5000 readers need 5200 open files in one process, and the hard limit is 300/,
  )
})

test('the benchmark of the way from hook to feed tells the percentiles, to one reader and to many', async () => {
  const rows = await rowsOf('latency', { args: ['--subscribers', '7'] })
  assert.deepEqual(
    rows.map(([rate, readers, who]) => [rate, readers, who]),
    ['1', '7'].flatMap((readers) => ['node:http', 'the service'].map((who) => ['50', readers, who])),
  )
  for (const [, , , ...figures] of rows) assertSane(figures.slice(0, -1))
})

test('the benchmark of the flow compares the service with a naive worker', async () => {
  const rows = await rowsOf('flow')
  assert.deepEqual(
    rows.map(([remote, workers, who]) => [remote, workers, who]),
    ['naive', 'the service'].map((who) => ['at once', '1', who]),
  )
  // In so short a time the system may count no CPU for what is cheap.
  for (const [, , , rate = '', ofNaive = ''] of rows) assertSane([rate, ofNaive])
})

test('the benchmark of the router tells how fast it takes what nobody acts on, and what only the feed takes', async () => {
  const rows = await rowsOf('router')
  assert.deepEqual(
    rows.map(([acts, kind]) => [acts, kind]),
    [
      ['nobody', 'user_create'],
      ['the feed', 'push'],
    ],
  )
  for (const [, , bytes = '', rate = ''] of rows) assertSane([bytes, rate])
})

test('the benchmark of a burst tells how long it takes and how much memory', async () => {
  const [[seconds = '', rate = '', , , , ...memory] = []] = await rowsOf('burst')
  assert.equal(memory.length, 3)
  assertSane([seconds, rate, ...memory])
})

test('the benchmark of several ingest processes compares them with one', async () => {
  const rows = await rowsOf('ingests')
  assert.deepEqual(
    rows.map(([processes]) => processes),
    ['1', '2'],
  )
  for (const [, ...figures] of rows) assertSane(figures.slice(0, 3))
})

test('the benchmark of resuming reads from both sources, beside memory', async () => {
  const rows = await rowsOf('resume')
  assert.deepEqual(
    rows.map(([missed, from]) => [missed, from]),
    ['node:http, memory', 'the service, Redis', 'node:http, rows', 'the service, journal'].map((from) => ['100', from]),
  )
  for (const [, , ...figures] of rows) assertSane(figures.slice(0, 4))
})

test('the benchmark of readers that stop reading compares each contestant with itself', async () => {
  const rows = await rowsOf('stalled')
  assert.deepEqual(
    rows.map(([, who, stalled]) => [who, stalled]),
    ['node:http, joined', 'the service'].flatMap((who) => ['0', '20'].map((stalled) => [who, stalled])),
  )
  for (const [, , , , ...figures] of rows) assertSane(figures)
})

test('the benchmark of memory shows that neither process needs 256 MiB', async () => {
  const rows = await rowsOf('memory')
  assert.deepEqual(
    rows.map(([load]) => load),
    ['at rest', '1 connection, 5 KB'],
  )
  for (const [, ...figures] of rows) {
    assertSane(figures)
    for (const figure of figures) assert.ok(Number(figure) < 256, `${figure} MiB`)
  }
})

test('the benchmark of the journal asks every question of a filled journal', async () => {
  const rows = await rowsOf('journal')
  assert.ok(rows.length > 80)
  for (const [, , ...figures] of rows) assertSane(figures)
  const found = new Map(rows.map(([question = '', count]) => [question, count]))
  for (const question of ['deliveries', 'deliveries --kind push', 'deliveries --text fix']) assert.equal(found.get(question), '50')
  assert.equal(found.get('deliveries --kind nonsense'), '0')
})

test('the benchmark of a great replay tells what it costs those who come by meanwhile', async () => {
  const rows = await rowsOf('replay')
  assert.deepEqual(
    rows.map(([who]) => who),
    ['without a replay', 'beside it'],
  )
  const [, ...figures] = rows[1] ?? []
  assert.equal(figures.length, 5)
  assertSane(figures)
})

test('the benchmark of strangers shows how long deliveries wait beside attacks, and beside none', async () => {
  const rows = await rowsOf('strangers')
  assert.deepEqual(
    rows.map(([attack]) => attack),
    ['nobody', ...attacks.slice(0, 2).map(({ name }) => name)],
  )
  for (const [, ...figures] of rows) assertSane(figures)
})
