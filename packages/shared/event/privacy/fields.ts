// What is taken out of single fields: the values of variables, and who somebody is to a server.
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'

const account = /:[\\/]{2}[^\s\\/?#]*@/g

/** `text` without user names and passwords in the URLs that are in it. `git@` is nobody's: everybody is that who clones. */
export function withoutAccounts(text: string): string {
  if (!text.includes('@') || !text.includes(':')) return text
  return text.replace(account, (found) => (found === '://git@' ? found : found.slice(0, 3)))
}

const kept = ['key', 'name', 'variable_type'] as const

/** Variables by their names alone, however they are given: a list, an object by name, or texts `NAME=value`. */
export function namesOnly(variables: Json): Json {
  if (typeof variables === 'string') return variables.includes('=') ? nameIn(variables) : null
  if (Array.isArray(variables)) return variables.map(namesOnly)
  if (!isObject(variables)) return null
  if (typeof variables.key === 'string' || (typeof variables.name === 'string' && 'value' in variables)) return nameOf(variables)
  return Object.fromEntries(Object.keys(variables).map((name) => [nameIn(name), null]))
}

function nameOf(variable: JsonObject): JsonObject {
  return Object.fromEntries(kept.flatMap((name) => (typeof variable[name] === 'string' ? [[name, nameIn(variable[name])]] : [])))
}

function nameIn(text: string): string {
  return text.split('=', 1)[0] ?? ''
}
