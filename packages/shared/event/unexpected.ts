// What of a body is not as GitLab is known to send it: a field that is read has another type, or the kind is one that nobody
// has seen. Such an event is understood as far as it goes; that something is missing must not look like nothing.
import { z } from 'zod'
import { isObject, type Json, type JsonObject } from '#shared/process/json.ts'
import { bodySchema } from './body.ts'
import { kindOf } from './delivery.ts'
import { isKnownKind } from './privacy/kinds.ts'

/** `object_attributes.iid` is `a string`, and `a whole number` was expected. */
export type Unexpected = { field: string; is: string; expected: string }

/** The field that stands for the kind itself. */
const kindField = 'object_kind'
const levels = ['project.visibility_level', 'project.visibility', 'repository.visibility_level', 'project_visibility']
const level = /^(0|10|20|(visibilitylevel\|)?(private|internal|public))$/

type Field = { path: string; isGood: (value: Json) => boolean; expected: string }

const scalars: Partial<Record<string, string>> = { string: 'a string', number: 'a whole number', boolean: 'a boolean' }

const fields: Field[] = [
  ...fieldsOf(bodySchema, ''),
  ...levels.map((path) => ({ path, isGood: isLevel, expected: 'a visibility such as 20 or public' })),
]

/** The names of all fields that can be unexpected. */
export const watchedFields = [kindField, ...fields.map(({ path }) => path)]

/** What is unexpected in `body`; a field that is missing, null or empty never is. */
export function unexpectedIn(body: JsonObject): Unexpected[] {
  const found = fields.flatMap(({ path, isGood, expected }) => {
    const value = valueAt(body, path)
    return value === undefined || value === null || value === '' || isGood(value) ? [] : [{ field: path, is: typeOf(value), expected }]
  })
  const kind = kindOf(body)
  if (isKnownKind(kind)) return found
  return [{ field: kindField, is: `"${kind.slice(0, 60)}"`, expected: 'a kind that is known' }, ...found]
}

/** `unexpected` as a part of a sentence; empty when there is none. */
export function inSentence(unexpected: Unexpected[]): string {
  return unexpected.map(({ field, is, expected }) => `${field} is ${is}, expected ${expected}`).join('; ')
}

function fieldsOf({ shape }: z.ZodObject, within: string): Field[] {
  return Object.entries(shape).flatMap(([name, given]) => {
    const schema = bare(given)
    const path = `${within}${name}`
    if (schema instanceof z.ZodObject)
      return [{ path, isGood: (value: Json) => isObject(value), expected: 'an object' }, ...fieldsOf(schema, `${path}.`)]
    const expected = scalars[schema._zod.def.type]
    return expected === undefined ? [] : [{ path, isGood: (value: Json) => z.safeParse(schema, value).success, expected }]
  })
}

// What is read where there is something.
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodCatch || schema instanceof z.ZodOptional ? bare(schema.unwrap()) : schema
}

function valueAt(body: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = body
  for (const name of path.split('.')) value = isObject(value) ? value[name] : undefined
  return value
}

function isLevel(value: Json): boolean {
  return (typeof value === 'string' || typeof value === 'number') && level.test(String(value))
}

function typeOf(value: Json): string {
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  return typeof value === 'number' ? `the number ${value}` : `a ${typeof value}`
}
