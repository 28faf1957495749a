// Hook bodies of many GitLab versions, where somebody keeps them beside this repository. They are not part of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { type JsonObject, readObject } from '#shared/event/json.ts'

const folder = new URL('../../../shared/fixtures/gitlab/hooks/', import.meta.url)

export const noHooks = existsSync(folder) ? false : 'there are no recorded hooks beside this repository'

export type RecordedHook = { name: string; text: string; body: JsonObject }

export function recordedHooks(): RecordedHook[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return files.map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8')
    const body = readObject(text)
    if (!body) throw new Error(`${file} is not a JSON object.`)
    return { name: file.slice(0, -5), text, body }
  })
}
