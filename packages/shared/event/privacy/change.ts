// How GitLab tells of a change: {previous, current}, or a pair.
import { isObject, type Json } from '#shared/process/json.ts'

/** What it is now. What is no change is itself. */
export function nowOf(change: Json): Json | undefined {
  if (Array.isArray(change)) return change.length === 2 ? change[1] : change
  return isObject(change) && 'current' in change ? change.current : change
}

/** What it was before, where that is told. */
export function formerOf(change: Json): Json | undefined {
  if (Array.isArray(change)) return change.length === 2 ? change[0] : undefined
  return isObject(change) ? change.previous : undefined
}

/** The same without what it was before. */
export function withoutFormer(change: Json): Json {
  if (Array.isArray(change)) return change.length === 2 ? [null, change[1] ?? null] : change
  if (!isObject(change) || !('previous' in change)) return change
  const { previous: _, ...rest } = change
  return rest
}
