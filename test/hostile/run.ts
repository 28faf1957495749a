// The siege at length: node test/hostile/run.ts [--attackers 1000] [--seconds 30] [--rate 5]. Exits 1 when a promise is broken.
import { parseArgs } from 'node:util'
import { computer } from '../bench/table.ts'
import { besiege } from './siege.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { attackers: text, seconds: text, rate: text } })
const size = { attackers: Number(values.attackers ?? 1000), seconds: Number(values.seconds ?? 30), rate: Number(values.rate ?? 5) }

console.log(`${computer()}; attackers on the same machine`)
const { waits, ...siege } = await besiege(size)
const slowestMs = Math.max(...waits.map(({ ms }) => ms))
console.table({ ...size, ...siege, slowestMs, peakMegabytes: siege.peakMegabytes.join(' and '), ended: siege.ended.join(', ') || 'none' })
const isGood = slowestMs < 2000 && siege.peakMegabytes.every((megabytes) => megabytes < 512)
process.exit(isGood && siege.ended.length === 0 && siege.missing === 0 && siege.doubled === 0 ? 0 : 1)
