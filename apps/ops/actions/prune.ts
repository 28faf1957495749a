// `prune`: applies retention to the journal now, as the worker does every night, and writes down that it did.
import { type Pruned, type PruneOptions, pruneJournal } from '#shared/journal/prune.ts'
import type { OpsContext } from '../context.ts'

/** Prunes, for `reason`. Rejects with the driver's errors. */
export async function prune(context: OpsContext, reason: string, options: PruneOptions): Promise<Pruned> {
  const pruned = await pruneJournal(context.database, options)
  if (!options.dryRun) await context.record('prune', reason, pruned, pruned.removed.deliveries ?? 0)
  return pruned
}
