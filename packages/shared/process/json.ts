// JSON as TypeScript sees it: what a job, an effect and an event may carry.

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

const byteOrderMark = '\ufeff'

/** What is written in `text` as JSON, to be read with a schema; undefined when it is not JSON. A byte order mark may stand before it. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith(byteOrderMark) ? text.slice(1) : text)
  } catch {
    return undefined
  }
}

/** The JSON object written in `text`, or undefined when the text is not JSON or not an object. */
export function readObject(text: string): JsonObject | undefined {
  const value = readJson(text)
  return isObject(value) ? value : undefined
}

/** Whether a value that JSON was read as is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
