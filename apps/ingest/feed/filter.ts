// Which messages a subscriber wants: kinds, projects and actions, together an AND, within one an OR.
import { fnmatcher } from '#shared/event/fnmatch.ts'
import type { MessageFacts } from '#shared/event/message.ts'
import { BadQuestion } from './bad-question.ts'

/** What a subscriber asked for, in one order, so that equal wishes are equal lists. */
export type Wish = Partial<Record<'kinds' | 'projects' | 'actions', string[]>>

/**
 * `matches` is missing where all that was received in time does. To look at a message takes at most about as long as `cost` comparisons of a few
 * characters. Filters with the same `key` are the same. `since` (ms) is the time from which on things must have been received.
 */
export type Filter = { key: string; matches: ((facts: MessageFacts) => boolean) | undefined; cost: number; since?: number }

// All the kinds that are published are more than 20; a pattern is more work than a word.
const mostWords = 50
const mostPatterns = 20
const longestValue = 255
const word = /^[\w.:-]+$/
const printable = /^[^\p{Cc}]+$/u

/** The wish of the query parameters `kind`, `project` and `action`; undefined when all is wanted. Throws `BadQuestion`. */
export function wishOf(query: (name: string) => string[]): Wish | undefined {
  const kinds = valuesOf('kind', query, word, mostWords)
  const projects = valuesOf('project', query, printable, mostPatterns)
  const actions = valuesOf('action', query, word, mostWords)
  if (!kinds && !projects && !actions) return undefined
  return { ...(kinds && { kinds }), ...(projects && { projects }), ...(actions && { actions }) }
}

export function filterOf({ kinds, projects, actions }: Wish, key: string): Filter {
  const patterns = projects?.map((pattern) => fnmatcher(pattern))
  return {
    key,
    cost: projects?.join('').length ?? 0,
    matches({ kind, project, action }) {
      if (kinds && !kinds.includes(kind)) return false
      if (actions && (action === undefined || !actions.includes(action))) return false
      return !patterns || (project !== undefined && patterns.some((isLike) => isLike(project)))
    },
  }
}

/** The same filter for messages received from `since` (ms) on. */
export function withSince({ key, ...filter }: Filter, since: number): Filter {
  return { ...filter, key: `${key} since ${since}`, since }
}

function valuesOf(name: string, query: (name: string) => string[], form: RegExp, most: number): string[] | undefined {
  const given = query(name)
  if (given.length === 0) return undefined
  const values = new Set(given.flatMap((list) => list.split(',')))
  if (values.size > most) throw new BadQuestion(name, `expected at most ${most} values`)
  for (const value of values) {
    if (value === '') throw new BadQuestion(name, 'expected a value, or several with commas between')
    if (value.length > longestValue) throw new BadQuestion(name, `expected at most ${longestValue} characters in a value`)
    if (!form.test(value)) throw new BadQuestion(name, 'a value has characters that it cannot have')
  }
  return [...values].sort()
}
