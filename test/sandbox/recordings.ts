// Answers of real servers, where somebody keeps them beside this repository. They are not part of it; without them the
// tests that compare the sandbox with them are skipped.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'

const folder = new URL('../../../shared/fixtures/', import.meta.url)

const schema = z.object({
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.string().nullable(),
  }),
  response: z.object({ status: z.number(), json: z.unknown().optional(), text: z.string().optional() }),
})
export type Recording = { name: string } & z.infer<typeof schema>

export const noRecordings = existsSync(folder) ? false : 'there are no recordings beside this repository'

export function readRecordings(kind: string): Recording[] {
  const names = readdirSync(new URL(`${kind}/`, folder)).filter((name) => /^\d{3}-.*\.json$/.test(name))
  return names.sort().map((name) => ({ name: name.slice(0, -5), ...schema.parse(JSON.parse(readText(kind, name))) }))
}

export function readText(kind: string, name: string): string {
  return readFileSync(new URL(`${kind}/${name}`, folder), 'utf8')
}
