// How long the operator's questions take in a journal of many deliveries: every filter alone, and some together, each
// asked several times of a MariaDB of our own that has been filled for this; and how fast entries are written there.
//   node test/bench/journal.ts [--short] [--rows 10000000] [--times 7]
import { parseArgs } from 'node:util'
import { sql } from 'kysely'
import { type Database, migrate, openDatabase } from '#shared/journal/database.ts'
import { makeDatabase } from '../support/stage.ts'
import { questions } from './journal-questions.ts'
import { makeRows } from './journal-rows.ts'
import { writesPerSecond } from './journal-writes.ts'
import { computer, median, table } from './table.ts'

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, rows: { type: 'string' }, times: { type: 'string' } },
})
const rows = Number(values.rows ?? (values.short ? 3000 : 10_000_000))
const times = Number(values.times ?? (values.short ? 1 : 7))

// The pool is smaller than ten million deliveries; the rest is there to fill them in quickly.
const pool = values.short ? [] : ['--innodb-buffer-pool-size=6G', '--innodb-log-file-size=2G']
const quick = ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=0', '--sort-buffer-size=64M']
const releases: Array<() => unknown> = []
const url = await makeDatabase((release) => void releases.unshift(release), [...pool, ...quick])
const database = openDatabase(url)
try {
  const { rows: versions } = await sql<{ version: string }>`select version() as version`.execute(database)
  console.log(`${computer()}, MariaDB ${versions[0]?.version}; asked from the same machine`)
  await migrate(database)
  await makeRows(url, database, rows, (what) => values.short || console.error(what))
  console.log(`A journal of ${rows} deliveries; each question asked ${times} times\n`)
  console.log(table(['question', 'rows', 'median ms', 'max ms'], await ask(database)))
  const rate = await writesPerSecond(database, values.short ? 0.1 : 10)
  console.log(`\nDeliveries written a second, each with two effects that end, three at a time: ${rate.toFixed(0)}`)
} finally {
  await database.destroy()
  for (const release of releases) await release()
}

async function ask(database: Database): Promise<string[][]> {
  const table: string[][] = []
  for (const { name, ask } of await questions(database)) {
    const taken: number[] = []
    let found = 0
    for (let time = 0; time < times; time += 1) {
      const started = performance.now()
      found = await ask()
      taken.push(performance.now() - started)
    }
    table.push([name, String(found), median(taken).toFixed(1), Math.max(...taken).toFixed(1)])
  }
  return table
}
