// `dead`, `dead groups`, `dead show`: the dead letters.
import type { Command } from 'commander'
import { groupDead, listDead } from '../actions/dead.ts'
import { explain } from '../actions/explain.ts'
import { act, filtersOf } from '../command.ts'
import { withFilters } from '../filters.ts'
import { sayDead, sayGroups, sayStory } from '../say.ts'
import { words } from '../words.ts'

export function deadCommands(ops: Command): void {
  const dead = withFilters(ops.command('dead'))
    .description('dead letters: effects that will not be retried by themselves')
    .action((options: unknown, command: Command) => {
      const filters = filtersOf(options)
      return act(command, async ({ database }) => sayDead(await listDead(database, filters)))
    })
  dead
    .command('groups')
    .description('dead letters by error')
    .action((_: unknown, command: Command) => {
      const filters = filtersOf(dead.opts())
      return act(command, async ({ database }) => sayGroups(await groupDead(database, filters)))
    })
  dead
    .command('show <id>')
    .description('one dead letter, with the story of its delivery')
    .action((id: string, _: unknown, command: Command) =>
      act(command, async ({ database }) => {
        const [letter] = await listDead(database, { effect: id })
        if (!letter) return { data: null, words: words`${id}: no such dead letter.`, failed: true }
        const story = await explain(database, letter.delivery)
        return { data: { ...letter, story: story ?? null }, words: sayStory(letter.delivery, story).words }
      }),
    )
}
