// `import`: accepts the deliveries of a `LOG_EVENTS_TO` file. Repeats are no-ops: what is known already stays as it is,
// and every effect looks at its remote before it acts.
import { type FileHandle, open } from 'node:fs/promises'
import { z } from 'zod'
import { type Delivery, deliverySchema, plainId } from '#shared/event/delivery.ts'
import { clocksDifferMs } from '#shared/event/time.ts'
import { readObject } from '#shared/process/json.ts'
import { onRecord } from '../audit.ts'
import type { OpsContext } from '../context.ts'
import { type HandInOptions, handIn } from '../hand-in.ts'

/** `lines` is how many were read. */
export type Imported = { imported: number; bad: Array<{ line: number; reason: string }>; lines: number; interrupted: boolean }

type Options = Pick<HandInOptions, 'signal' | 'onWait'> & { reason: string }

const chunkBytes = 1024 * 1024
const importedSchema = deliverySchema.extend({
  id: z.string().regex(plainId, 'expected 1 to 200 printable ASCII characters without blanks'),
  receivedAt: deliverySchema.shape.receivedAt.refine((at) => Date.parse(at) <= Date.now() + clocksDifferMs, 'it lies in the future'),
})

/** Imports the file at `path`. Lines that are no deliveries are told, and left out. Throws when it cannot be read. */
export async function importFile(context: OpsContext, path: string, { reason, signal, onWait }: Options): Promise<Imported> {
  await using file = await open(path)
  const read: Pick<Imported, 'bad' | 'lines'> = { bad: [], lines: 0 }
  return await onRecord(context, { verb: 'import', reason, details: { file: path } }, async (tally) => {
    await handIn(context.queues.deliveries, deliveriesIn(file, read, signal), { tally, signal, onWait })
    tally.details = { file: path, bad: read.bad.length }
    return { imported: tally.count, ...read, interrupted: signal?.aborted === true }
  })
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
