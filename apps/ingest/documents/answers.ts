// Answers of the public listener, as OpenAPI writes them.

export const text = { type: 'string' }
export const named = (name: string) => ({ $ref: `#/components/schemas/${name}` })
export const json = (schema: object) => ({ 'application/json': { schema } })
export const plain = { 'text/plain': { schema: text } }
export const error = json(named('error'))

export const refused = (description: string) => ({ description, content: error })
export const page = (description: string, more: object = {}) => ({ description, content: { 'text/html': { schema: text }, ...more } })
/** `answer`, with the time after which to come again. */
export const later = (answer: object) => ({
  ...answer,
  headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds.' } },
})
