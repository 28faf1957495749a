// The project's own hook bodies, of the shape that a current GitLab sends, and pages of reviewers.
import { readdirSync, readFileSync } from 'node:fs'
import { type JsonObject, readObject } from '#shared/process/json.ts'

/** The text of `test/fixtures/hooks/<name>.json`, with the sandbox's GitLab in place of its origin if given. */
export function hookText(name: string, gitlabUrl = 'https://gitlab.example'): string {
  return readFileSync(new URL(`../fixtures/hooks/${name}.json`, import.meta.url), 'utf8').replaceAll('https://gitlab.example', gitlabUrl)
}

/** The same, parsed. */
export function hook(name: string, gitlabUrl?: string): JsonObject {
  const body = readObject(hookText(name, gitlabUrl))
  if (!body) throw new Error(`${name} is not a JSON object.`)
  return body
}

/** The names of all of them. */
export function hookNames(): string[] {
  return readdirSync(new URL('../fixtures/hooks/', import.meta.url)).map((file) => file.replace(/\.json$/, ''))
}

/** The text of `test/fixtures/reviewers/<file>`: of `.wikitext` what people wrote, of `.xml` the tree that MediaWiki makes of it. */
export function reviewersFile(file: string): string {
  return readFileSync(new URL(`../fixtures/reviewers/${file}`, import.meta.url), 'utf8').trimEnd()
}
