// What `dead`, `dead groups` and `dead show` do.
import type { Command } from 'commander'
import { groupDead, listDead } from '../actions/dead.ts'
import { explain } from '../actions/explain.ts'
import { act, filtersOf } from '../command.ts'
import { sayDead, sayGroups, sayStory } from '../say.ts'
import type { Typed } from '../usage.ts'
import { words } from '../words.ts'

export function list(options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  return act(command, async ({ database }) => sayDead(await listDead(database, filters)))
}

export function groups(options: Typed, command: Command): Promise<void> {
  const filters = filtersOf(options)
  return act(command, async ({ database }) => sayGroups(await groupDead(database, filters)))
}

export function show(id: string, command: Command): Promise<void> {
  return act(command, async (context) => {
    const [letter] = await listDead(context.database, { effect: id })
    if (!letter) return { data: null, words: words`${id}: no such dead letter.`, failed: true }
    const story = await explain(context, letter.delivery)
    const told = story ? sayStory(story).words : words`${letter.delivery}: no such delivery in the journal.`
    return { data: { ...letter, story: story ?? null }, words: told }
  })
}
