// The address of the database, as the environment tells it.
import { z } from 'zod'

const databaseForm = 'expected mysql://user:password@host:port/database'
export const databaseAddress = z
  .url({ protocol: /^(mysql|mariadb)$/, error: databaseForm, abort: true })
  .refine((value) => isPlace(value) && new URL(value).pathname.length > 1, `${databaseForm}, with the name of a database`)

// With a host, and with nothing in it that only looks like an escape: the clients would throw on that, and print it.
function isPlace(address: string): boolean {
  try {
    return decodeURIComponent(address) !== '' && new URL(address).hostname !== ''
  } catch {
    return false
  }
}

type DatabaseVariables = {
  DATABASE_URL?: string | undefined
  TOOL_TOOLSDB_USER?: string | undefined
  TOOL_TOOLSDB_PASSWORD?: string | undefined
}

/** The database's address, or undefined when nothing tells it. ToolsDB wants databases named `<user>__<name>`. */
export function databaseUrl(env: DatabaseVariables): string | undefined {
  if (env.DATABASE_URL) return env.DATABASE_URL
  if (!env.TOOL_TOOLSDB_USER || !env.TOOL_TOOLSDB_PASSWORD) return undefined
  const user = encodeURIComponent(env.TOOL_TOOLSDB_USER)
  return `mysql://${user}:${encodeURIComponent(env.TOOL_TOOLSDB_PASSWORD)}@tools.db.svc.wikimedia.cloud:3306/${user}__gitlab_webhooks`
}
