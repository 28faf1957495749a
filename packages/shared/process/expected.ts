// What is said of a variable that cannot be used: what was expected, and what is there instead. For those that hold no secret.

const longest = 60

/** The error of a schema: `expected <what>, not "<what is there>"`. What may have a password in it is not repeated. */
export function expected(what: string): { error: (issue: { input?: unknown }) => string } {
  return { error: ({ input }) => `expected ${what}${typeof input === 'string' ? instead(input) : ''}` }
}

function instead(input: string): string {
  if (input.includes('@')) return ''
  return `, not "${input.length > longest ? `${input.slice(0, longest)}…` : input}"`
}
