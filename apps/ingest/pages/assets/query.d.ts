export const names: readonly ['kind', 'project', 'action']
export function queryOf(given: (name: (typeof names)[number]) => string | null | undefined): string
