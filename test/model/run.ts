// All states of the model with so many faults: `node test/model/run.ts [faults]`. Then the known windows, one at a time.
import { explore } from './explore.ts'
import { serviceModel, windows } from './service.ts'

const faults = Number(process.argv[2] ?? 3)
const { states, trace } = explore(serviceModel({ faults }))
console.log(
  `${faults} faults: ${states} states, ${trace === undefined ? 'none of them wrong' : `one of them wrong:\n  ${trace.join('\n  ')}`}`,
)
for (const open of windows) {
  const { trace: way = [] } = explore(serviceModel({ faults: 2, open }))
  console.log(`${open}:\n  ${way.join('\n  ')}`)
}
process.exit(trace === undefined ? 0 : 1)
