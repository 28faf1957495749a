// Holds messages of the feed against the schemas that the service gives of them.
import { setTimeout as pause } from 'node:timers/promises'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Redis } from 'ioredis'
import { isSchemaName, messageSchemaOf, type SchemaName } from '#shared/event/message-schema.ts'
import { type Json, readObject } from '#shared/process/json.ts'
import { keyPrefix } from '#shared/queue/queues.ts'
import { isObject } from './objects.ts'

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
const compiled = new Map<SchemaName, ValidateFunction>()

/** What is wrong with `message`, a line of JSON, by the schema of its kind; of a kind without one, by that of all kinds. */
export function faultsOf(message: string): string[] {
  const read = readObject(message)
  const kind = kindOf(read?.meta)
  const validate = compiled.get(kind) ?? ajv.compile(messageSchemaOf(kind))
  compiled.set(kind, validate)
  if (validate(read)) return []
  return (validate.errors ?? []).map(({ instancePath, message: reason }) => `${kind}: ${instancePath} ${reason}`)
}

function kindOf(meta: Json | undefined): SchemaName {
  const kind = isObject(meta) ? meta.kind : undefined
  return typeof kind === 'string' && isSchemaName(kind) ? kind : 'message'
}

const most = 1000

/** The same of what the service has published on the feed, as far as its Redis still answers. */
export async function faultsOnFeed(redis: Redis, prefix: string): Promise<string[]> {
  if (redis.status !== 'ready') return []
  const entries = await Promise.race([redis.xrange(`${keyPrefix(prefix)}:feed`, '-', '+', 'COUNT', most), pause(5000, [])])
  const messages = entries.map(([, [, message = '']]) => message).filter((message) => message.includes('"stream":"gitlab-webhooks"'))
  return [...new Set(messages.flatMap(faultsOf))]
}
