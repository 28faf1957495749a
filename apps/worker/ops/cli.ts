// `bin/ops`: the operator's command line. Each verb is an action of its own; here is only what is typed and printed.
import { Command, CommanderError } from 'commander'
import { z } from 'zod'
import { configure } from '#shared/env.ts'
import { inWords } from '#shared/errors.ts'
import { importFile } from './actions/import.ts'
import { redeliver } from './actions/redeliver.ts'
import { filterSchema, matching, withFilters } from './filters.ts'
import { openPlace, opsSchema, type Place } from './place.ts'

/** The words of a command cannot be used: exit 2, nothing changed. */
class BadUsage extends Error {}

const ops = new Command('bin/ops')
  .description('See and mend what gitlab-webhooks does.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .option('--json', 'print JSON')

ops
  .command('import <file>')
  .description('accept the deliveries of a LOG_EVENTS_TO file; repeats are no-ops')
  .option('--reason <text>', 'why, for the record', '')
  .action((file: string, { reason }: { reason: string }) =>
    act(async (place) => {
      const { imported, bad } = await importFile(place, file, reason)
      for (const { line, reason: why } of bad) console.error(`${file}:${line}: ${why}`)
      print({ imported, bad }, `${imported} deliveries handed in, ${bad.length} lines left out`)
      return bad.length === 0
    }),
  )

withFilters(ops.command('redeliver [delivery...]'))
  .description('send whole deliveries through again from the journal: those with these ids, or those that the filters choose')
  .option('--reason <text>', 'why, for the record', '')
  .action(async (ids: string[], options: unknown) => {
    const { reason, ...filters } = readOptions(options)
    if (ids.length === 0 && Object.keys(filters).length === 0) throw new BadUsage('Name deliveries, or choose some with a filter.')
    await act(async (place) => {
      const chosen = ids.length > 0 ? ids : await matching(place.database, filters)
      const { redelivered, missing } = await redeliver(place, chosen, reason)
      for (const id of missing) console.error(`${id}: no such delivery in the journal`)
      print({ redelivered, missing }, `${redelivered} deliveries sent through again`)
      return missing.length === 0
    })
  })

function readOptions(options: unknown) {
  const read = filterSchema.extend({ reason: z.string() }).safeParse(options)
  if (read.success) return read.data
  throw new BadUsage(read.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('\n'))
}

async function act(action: (place: Place) => Promise<boolean>): Promise<void> {
  const place = await openPlace(configure(opsSchema))
  try {
    process.exitCode = (await action(place)) ? 0 : 1
  } finally {
    await place.close()
  }
}

function print(result: object, words: string): void {
  console.log(ops.opts<{ json?: boolean }>().json ? JSON.stringify(result) : words)
}

try {
  await ops.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else if (error instanceof BadUsage) {
    console.error(error.message)
    process.exitCode = 2
  } else {
    console.error(inWords(error))
    process.exitCode = 1
  }
}
// Whatever is still open, such as a connection that was never made, must not keep the operator waiting.
process.exit()
