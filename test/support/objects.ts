// Reading JSON that a test knows the shape of.
import type { Json, JsonObject } from '#shared/process/json.ts'

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
