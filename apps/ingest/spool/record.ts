// A record of the spool: one delivery on one line, behind a checksum of it. What a killed process or a full disk left
// half-written is recognised by that, wherever it stands.
import { createReadStream } from 'node:fs'
import { crc32 } from 'node:zlib'
import { type Delivery, deliverySchema } from '#shared/event/delivery.ts'
import { readJson } from '#shared/process/json.ts'

/** What was read up to the offset `end` (bytes): a delivery, or bytes that are no record. */
export type Read = { end: number; delivery: Delivery } | { end: number; broken: Buffer }

const newline = 0x0a

/** The record of `delivery`, with the line break that ends it. */
export function record(delivery: Delivery): Buffer {
  const json = JSON.stringify(delivery)
  return Buffer.from(`${checksum(json)} ${json}\n`)
}

/** The records of the file at `path` between the offsets `start` and `end` (bytes; to the end of the file without one). */
export async function* readRecords(path: string, start = 0, end?: number): AsyncGenerator<Read> {
  if (end !== undefined && end <= start) return
  let offset = start
  let rest: Buffer[] = []
  for await (const chunk of createReadStream(path, { start, ...(end !== undefined && { end: end - 1 }), highWaterMark: 256 * 1024 })) {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, at)])
      rest = []
      from = at + 1
      offset += line.length + 1
      yield read(line, offset)
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  }
  const torn = Buffer.concat(rest)
  if (torn.length > 0) yield { end: offset + torn.length, broken: torn }
}

function read(line: Buffer, end: number): Read {
  const text = line.toString('utf8')
  const json = text.slice(9)
  const delivery = text.slice(0, 8) === checksum(json) ? deliverySchema.safeParse(readJson(json)) : undefined
  return delivery?.success ? { end, delivery: delivery.data } : { end, broken: line }
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0')
}
