// `import`: accepts the deliveries of a `LOG_EVENTS_TO` file. Repeats are no-ops: what is known already stays as it is,
// and every effect looks at its remote before it acts.
import { type FileHandle, open } from 'node:fs/promises'
import { z } from 'zod'
import { type Delivery, deliverySchema, plainId } from '#shared/event/delivery.ts'
import { clocksDifferMs } from '#shared/event/time.ts'
import { readObject } from '#shared/process/json.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'
import { type HandInOptions, handIn, nothingYet } from '../hand-in.ts'

/** `lines` is how many were read; `letGo` how many of their effects were discarded, and stay so. */
export type Imported = {
  imported: number
  letGo: number
  bad: Array<{ line: number; reason: string }>
  lines: number
  interrupted: boolean
}
/** What an import would do: `known` of the deliveries are in the journal already. */
export type WouldImport = Pick<Imported, 'bad' | 'lines' | 'interrupted'> & { deliveries: number; known: number }

type Options = Omit<HandInOptions, 'tally'> & { reason: string }

const chunkBytes = 1024 * 1024
const importedSchema = deliverySchema.extend({
  id: z.string().regex(plainId, 'expected 1 to 200 printable ASCII characters without blanks'),
  receivedAt: deliverySchema.shape.receivedAt.refine((at) => Date.parse(at) <= Date.now() + clocksDifferMs, 'it lies in the future'),
})

/** Imports the file at `path`. Lines that are no deliveries are told, and left out. Throws when it cannot be read. */
export async function importFile(context: OpsContext, path: string, { reason, ...options }: Options): Promise<Imported> {
  await using file = await open(path)
  const read: Pick<Imported, 'bad' | 'lines'> = { bad: [], lines: 0 }
  return await onRecord(context, { verb: 'import', reason, details: { file: path } }, async (tally) => {
    const handed = nothingYet()
    const follow = (done: number) => {
      tally.count = done
      options.onProgress?.(read.lines)
    }
    await handIn(context, deliveriesIn(file, read, options.signal), { ...options, tally: handed, onProgress: follow })
    const interrupted = options.signal?.aborted === true
    tally.details = { file: path, bad: read.bad.length, ...(interrupted && { interrupted }) }
    return { imported: handed.count, letGo: handed.letGo, ...read, interrupted }
  })
}

/** What an import of the file at `path` would do. Throws when it cannot be read. */
export async function wouldImport({ database }: OpsContext, path: string, signal: AbortSignal): Promise<WouldImport> {
  await using file = await open(path)
  const read: Pick<Imported, 'bad' | 'lines'> = { bad: [], lines: 0 }
  let [deliveries, known] = [0, 0]
  for await (const { id } of deliveriesIn(file, read, signal)) {
    deliveries += 1
    const row = await database.selectFrom('deliveries').select('id').where('id', '=', id).executeTakeFirst()
    if (row) known += 1
  }
  return { deliveries, known, ...read, interrupted: signal.aborted }
}

/** How many lines the file at `path` has. Throws when it cannot be read. */
export async function countLines(path: string): Promise<number> {
  await using file = await open(path)
  let lines = 0
  for await (const _ of linesOf(file)) lines += 1
  return lines
}

async function* deliveriesIn(
  file: FileHandle,
  read: Pick<Imported, 'bad' | 'lines'>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Delivery> {
  for await (const line of linesOf(file)) {
    if (signal?.aborted) return
    read.lines += 1
    if (line.trim() === '') continue
    const object = readObject(line)
    const delivery = importedSchema.safeParse(object)
    if (delivery.success) yield { ...delivery.data, again: true, origin: 'imported' }
    else
      read.bad.push({
        line: read.lines,
        reason: object ? sentence(delivery.error) : 'expected an object with id, receivedAt, headers and body',
      })
  }
}

function sentence({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}

// What readline takes for the end of a line may stand in the middle of a JSON text.
async function* linesOf(file: FileHandle): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of file.createReadStream({ encoding: 'utf8', highWaterMark: chunkBytes, autoClose: false })) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
