// `bin/ops`: the operator's command line. Each verb is an action of its own; here is only what is typed.
import { Argument, Command, CommanderError } from 'commander'
import { inWords } from '#shared/errors.ts'
import { type SinkName, sinkNames } from '#shared/queues.ts'
import { deadIds, groupDead, listDead } from './actions/dead.ts'
import { listDeliveries, matchingIds } from './actions/deliveries.ts'
import { discard } from './actions/discard.ts'
import { explain } from './actions/explain.ts'
import { importFile } from './actions/import.ts'
import { pauseSink, resumeSink } from './actions/pause.ts'
import { redeliver } from './actions/redeliver.ts'
import { planReplay, replay } from './actions/replay.ts'
import { status } from './actions/status.ts'
import { act, BadUsage, filtersOf, mustChoose, rateOf, reasonOf } from './command.ts'
import { withFilters } from './filters.ts'
import { table } from './print.ts'
import { progress } from './progress.ts'
import { sayDead, sayDeliveries, sayGroups, sayStatus, sayStory } from './say.ts'

const ops = new Command('bin/ops')
  .description('See and mend what gitlab-webhooks does.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .option('--json', 'print JSON')

const withReason = (command: Command) => command.option('--reason <text>', 'why, for the record')

ops
  .command('status')
  .description('how everything stands')
  .action((_: unknown, command: Command) => act(command, async (place) => sayStatus(await status(place))))

withFilters(ops.command('deliveries'))
  .description('the deliveries of the journal, newest first')
  .action((options: unknown, command: Command) => {
    const filters = filtersOf(options)
    return act(command, async ({ database }) => sayDeliveries(await listDeliveries(database, filters)))
  })

ops
  .command('explain <delivery>')
  .description('everything known about one delivery, also why nothing came of it')
  .action((id: string, _: unknown, command: Command) => act(command, async ({ database }) => sayStory(id, await explain(database, id))))

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
      if (!letter) return { data: null, words: `${id}: no such dead letter.`, failed: true }
      const story = await explain(database, letter.delivery)
      return { data: { ...letter, story: story ?? null }, words: sayStory(letter.delivery, story).words }
    }),
  )

withReason(withFilters(ops.command('replay [id...]')))
  .description('put dead letters back with a fresh budget; run it again to go on')
  .option('--group <error>', 'all of an error group')
  .option('--dry-run', 'only say what would run')
  .option('--rate <count>', 'at most so many a second', '10')
  .action((ids: string[], options: Record<string, unknown>, command: Command) => {
    const filters = filtersOf({ ...options, error: options.group ?? options.error })
    const rate = rateOf(options.rate)
    mustChoose(ids, filters)
    return act(command, async (place) => {
      const chosen = ids.length > 0 ? ids : await deadIds(place.database, filters)
      if (options.dryRun === true) {
        const data = await planReplay(place, chosen)
        return { data, words: table(data, 'No dead letter matches.') }
      }
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      const data = await replay(place, chosen, {
        reason: reasonOf(options),
        rate,
        signal: interrupted.signal,
        onProgress: progress('replayed'),
      })
      const words = `${data.replayed} of ${data.chosen} put back, ${data.failedAgain} failed again${data.stopped ? `; stopped: ${data.stopped}` : ''}`
      return { data, words, failed: data.stopped !== undefined || data.failedAgain > 0 }
    })
  })

withReason(withFilters(ops.command('discard [id...]')))
  .description('let dead letters go; the journal keeps them')
  .action((ids: string[], options: unknown, command: Command) => {
    const filters = filtersOf(options)
    mustChoose(ids, filters)
    return act(command, async (place) => {
      const data = await discard(place, ids.length > 0 ? ids : await deadIds(place.database, filters), reasonOf(options))
      return { data, words: `${data.discarded} dead letters discarded`, failed: data.discarded < ids.length }
    })
  })

withReason(withFilters(ops.command('redeliver [delivery...]')))
  .description('send whole deliveries through again from the journal; what is there already is not made twice')
  .action((ids: string[], options: unknown, command: Command) => {
    const filters = filtersOf(options)
    mustChoose(ids, filters)
    return act(command, async (place) => {
      const data = await redeliver(place, ids.length > 0 ? ids : await matchingIds(place.database, filters), reasonOf(options))
      for (const id of data.missing) console.error(`${id}: no such delivery in the journal`)
      return { data, words: `${data.redelivered} deliveries sent through again`, failed: data.missing.length > 0 }
    })
  })

for (const [verb, description, change] of [
  ['pause', 'stop the work of one sink; what comes waits, in order', pauseSink],
  ['resume', 'let it go on', resumeSink],
] as const) {
  withReason(ops.command(verb))
    .addArgument(new Argument('<sink>').choices(sinkNames))
    .description(description)
    .action((sink: SinkName, options: unknown, command: Command) =>
      act(command, async (place) => {
        const data = await change(place, sink, reasonOf(options))
        return { data, words: `${sink} is ${data.paused ? 'paused' : 'going'}` }
      }),
    )
}

withReason(ops.command('import <file>'))
  .description('accept the deliveries of a LOG_EVENTS_TO file; repeats are no-ops')
  .action((file: string, options: unknown, command: Command) =>
    act(command, async (place) => {
      const data = await importFile(place, file, reasonOf(options))
      for (const { line, reason } of data.bad) console.error(`${file}:${line}: ${reason}`)
      return { data, words: `${data.imported} deliveries handed in, ${data.bad.length} lines left out`, failed: data.bad.length > 0 }
    }),
  )

try {
  await ops.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) console.error(inWords(error))
  const usage = error instanceof BadUsage || (error instanceof CommanderError && error.exitCode !== 0)
  process.exitCode = usage ? 2 : error instanceof CommanderError ? 0 : 1
}
// Whatever is still open, such as a connection that was never made, must not keep the operator waiting.
process.exit()
