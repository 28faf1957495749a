// What `doctor` does.
import type { Command } from 'commander'
import type { Finding } from '#sinks/finding.ts'
import { doctor } from '../actions/doctor/doctor.ts'
import { lookAround, type Said, untilInterrupted } from '../command.ts'
import { dim, state } from '../print.ts'
import { lines, padded, words } from '../words.ts'

export function check(command: Command): Promise<void> {
  return lookAround(command, async (context) => say(await doctor(context, untilInterrupted())))
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
