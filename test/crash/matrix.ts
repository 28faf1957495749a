// The crash matrix: `node test/crash/matrix.ts [rounds] [--seed N]`. Each round has a seed of its own, which decides all
// that happens; a round that went wrong is played again with `1 --seed N`.
import { parseArgs } from 'node:util'
import { computer } from '../bench/table.ts'
import { openMariaDb, playRound, type Result, type Size } from './round.ts'

const { values, positionals } = parseArgs({ options: { seed: { type: 'string' }, verbose: { type: 'boolean' } }, allowPositionals: true })
const rounds = Number(positionals[0] ?? 10)
const firstSeed = Number(values.seed ?? Date.now() % 1_000_000)
const size: Size = { merges: 30, pushes: 40, seconds: 25, patience: 240_000, longFreezes: true, rollouts: 0.5 }

console.log(`${computer()}; two ingests, two workers, seeds ${firstSeed} to ${firstSeed + rounds - 1}`)
const mariadb = await openMariaDb()
const results: Result[] = []
const started = Date.now()
try {
  for (let round = 0; round < rounds; round++) {
    const seed = firstSeed + round
    const heard: string[] = []
    const begun = Date.now()
    const note = (text: string) => {
      heard.push(`${((Date.now() - begun) / 1000).toFixed(1)} s: ${text}`)
      if (values.verbose) console.log(heard.at(-1))
    }
    const result = await playRound(seed, size, mariadb, note)
    results.push(result)
    const { deliveries, accepted, kills, freezes, faults, rollouts, lost, doubled, disordered, wrong } = result
    console.log(
      `seed ${seed}: ${deliveries} deliveries, ${accepted} accepted, ${kills} kills, ${freezes} freezes, ${faults} faults, ${rollouts} rollouts, ` +
        `${lost.length} lost, ${doubled.length} doubled, ${disordered.length} out of order, ${wrong.length} otherwise wrong, ` +
        `${Math.round((Date.now() - begun) / 1000)} s`,
    )
    const troubles = [...tell('lost', lost), ...tell('doubled', doubled), ...tell('out of order', disordered), ...tell('wrong', wrong)]
    if (troubles.length > 0) console.log([...(values.verbose ? [] : heard), ...troubles].join('\n'))
  }
} finally {
  await mariadb.close()
}

const sum = (count: (result: Result) => number) => results.reduce((total, result) => total + count(result), 0)
console.table({
  rounds: results.length,
  kills: sum(({ kills }) => kills),
  freezes: sum(({ freezes }) => freezes),
  faults: sum(({ faults }) => faults),
  rollouts: sum(({ rollouts }) => rollouts),
  deliveries: sum(({ deliveries }) => deliveries),
  'answered 202': sum(({ accepted }) => accepted),
  lost: sum(({ lost }) => lost.length),
  doubled: sum(({ doubled }) => doubled.length),
  'out of order': sum(({ disordered }) => disordered.length),
  'otherwise wrong': sum(({ wrong }) => wrong.length),
  seconds: Math.round((Date.now() - started) / 1000),
})
process.exit(sum(({ lost, doubled, disordered, wrong }) => lost.length + doubled.length + disordered.length + wrong.length) > 0 ? 1 : 0)

function tell(what: string, items: string[]): string[] {
  return items.map((item) => `  ${what}: ${item}`)
}
