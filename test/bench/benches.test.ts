// The benchmarks run and show their tables, in their short form. How fast anything is does not matter here.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

/** The rows of the table that `node test/bench/<name>.ts --short` prints, as cells. */
async function rowsOf(name: string): Promise<string[][]> {
  const program = new URL(`${name}.ts`, import.meta.url).pathname
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--short'])
  assert.match(stdout, /^.+, \d+ cores, Node\.js \d+\.\S+, Redis \d+\.\S+;/)
  const lines = stdout.split('\n')
  const rule = lines.findIndex((line) => /^-+( +-+)+$/.test(line))
  return lines.slice(rule + 1, lines.indexOf('', rule)).map((line) => line.split(/ {2,}/).filter((cell) => cell !== ''))
}

function assertSane(cells: string[]): void {
  for (const cell of cells) assert.ok(Number(cell) > 0, cells.join('  '))
}

test('the benchmark of POST /hooks compares the service with both baselines at each number of connections', async () => {
  const rows = await rowsOf('hooks')
  assert.equal(rows.length, 9)
  for (const [connections, who, ...figures] of rows) {
    assert.ok(['1', '32', '256'].includes(connections ?? ''))
    assertSane(who === 'bare Hono' ? figures.filter((figure) => figure !== '–') : figures)
  }
})

test('the benchmark of the way from hook to feed tells the percentiles at each rate', async () => {
  const rows = await rowsOf('latency')
  assert.deepEqual(
    rows.map(([rate]) => rate),
    ['20', '200'],
  )
  for (const row of rows) assertSane(row)
})
