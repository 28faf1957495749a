// The headers of deliveries, as the journal keeps them.
import { z } from 'zod'
import { readJson } from '#shared/process/json.ts'

const longest = 16_000
const headersSchema = z.record(z.string(), z.string())
const pair = /"(?:[^"\\]|\\.)*":"(?:[^"\\]|\\.)*"/g

/** `headers` as a text of JSON of at most 16,000 characters: of more the longest are left out. */
export function headersText(headers: Record<string, string>): string {
  const kept: Record<string, string> = {}
  let size = 2
  for (const [name, value] of Object.entries(headers).toSorted(([, one], [, other]) => one.length - other.length)) {
    const one = JSON.stringify({ [name]: value }).toWellFormed()
    if (size + one.length > longest) break
    size += one.length
    kept[name] = value
  }
  return JSON.stringify(kept).toWellFormed()
}

/** The headers that `text` has; of one that was cut somewhere those that are whole. */
export function readHeaders(text: string): Record<string, string> {
  const whole = headersSchema.safeParse(readJson(text))
  if (whole.success) return whole.data
  return Object.assign({}, ...(text.match(pair) ?? []).map((one) => headersSchema.safeParse(readJson(`{${one}}`)).data ?? {}))
}
