// What `acknowledge` does.
import type { Command } from 'commander'
import { acknowledge } from '../actions/losses.ts'
import { act } from '../command.ts'
import { lines, words } from '../words.ts'

export function acknowledgeThese(ids: string[], reason: string, command: Command): Promise<void> {
  return act(command, async (context) => {
    const data = await acknowledge(context, ids, reason)
    const unknown = ids.filter((id) => !data.some((loss) => loss.id === id))
    const said = [
      ...data.map(({ id, message }) => words`${id}: ${message}: acknowledged`),
      ...unknown.map((id) => words`${id}: there is no such loss, or it is acknowledged already`),
    ]
    return { data, words: lines(said), failed: unknown.length > 0 }
  })
}
