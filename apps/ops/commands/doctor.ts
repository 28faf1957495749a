// `doctor`.
import type { Command } from 'commander'
import type { Finding } from '#sinks/finding.ts'
import { doctor } from '../actions/doctor/doctor.ts'
import { lookAround, type Said, untilInterrupted } from '../command.ts'
import { dim, state } from '../print.ts'
import { lines, padded, words } from '../words.ts'

const help = `
It changes nothing. Exit 0 when nothing is wrong (there may be warnings), 1 when something is, 78 when the configuration
cannot be used. With --json an array of objects: id, state (ok, warning, wrong), message, remedy (null when it is ok).`

export function doctorCommands(ops: Command): void {
  ops
    .command('doctor')
    .description('check all that the service needs, and say what is wrong and how to repair it')
    .addHelpText('after', help)
    .action((_: unknown, command: Command) => lookAround(command, async (context) => say(await doctor(context, untilInterrupted()))))
}

const stateWidth = 9
const idWidth = 15

function say(data: Finding[]): Said {
  const findings = data.map(({ id, state: word, message, remedy }) => {
    const repair = remedy === null || remedy === '' ? '' : dim(`  → ${remedy}`)
    return words`${padded(state(word), stateWidth)}${padded(id, idWidth)}${message}${repair}`
  })
  return { data, words: lines(findings), failed: data.some(({ state: word }) => word === 'wrong') }
}
