// Compares what was answered with 202 with what the remotes hold. Deliveries that were not may have had their effects,
// once; those that were must.
import { otherKey, type Sent } from './client.ts'

export type Verdict = { lost: string[]; doubled: string[]; disordered: string[] }

type Wanted = { text: string; required: boolean; forbidden: boolean }

/** What should stand on each task by one merge request, in order. */
export function wantedComments(sent: Sent[]): Map<string, Wanted[]> {
  const wanted = new Map<string, Wanted[]>()
  for (const { strand, delivery, accepted } of sent) {
    for (const { task, text, unlessNamed } of delivery.comments) {
      const place = `T${task} ${strand.name}`
      const list = wanted.get(place) ?? []
      const named = unlessNamed && list.some(({ required }) => required)
      // What may have been commented before by one that does not count may be left out now.
      const unsure = unlessNamed && list.length > 0
      list.push({ text, required: accepted && !unsure, forbidden: named })
      wanted.set(place, list)
    }
  }
  return wanted
}

/** What is wrong with the comments `found` at one place, oldest first, where `wanted` are due. */
export function judge(place: string, wanted: Wanted[], found: string[]): Verdict {
  const verdict: Verdict = { lost: [], doubled: [], disordered: [] }
  const due = wanted.filter(({ forbidden }) => !forbidden)
  for (const text of new Set([...due.map((one) => one.text), ...found])) {
    const least = due.filter((one) => one.text === text && one.required).length
    const most = due.filter((one) => one.text === text).length
    const count = found.filter((one) => one === text).length
    for (let missing = count; missing < least; missing++) verdict.lost.push(`${place}: ${text}`)
    for (let extra = most; extra < count; extra++) verdict.doubled.push(`${place}: ${text}`)
  }
  const counted = verdict.lost.length + verdict.doubled.length === 0
  if (counted && !isInOrder(due, found))
    verdict.disordered.push(`${place}: ${found.join(' | ')}\n  wanted: ${due.map(({ text }) => text).join(' | ')}`)
  return verdict
}

// Whether what is required came in its order. What is not required may have come at any time: nobody was told that it was taken.
function isInOrder(due: Wanted[], found: string[]): boolean {
  let at = 0
  for (const { text, required } of due) {
    if (!required) continue
    at = found.indexOf(text, at) + 1
    if (at === 0) return false
  }
  return true
}

/** What is wrong with the ids on the feed. */
export function judgeFeed(sent: Sent[], found: string[]): Verdict {
  const due = sent.filter(({ delivery }) => delivery.isPublic)
  const known = new Set(due.flatMap(({ delivery }) => [delivery.key, otherKey(delivery.key)]))
  const count = (id: string) => found.filter((one) => one === id).length
  return {
    lost: due.filter(({ accepted, delivery }) => accepted && count(delivery.key) === 0).map(({ delivery }) => `feed: ${delivery.key}`),
    doubled: [...new Set(found)].filter((id) => count(id) > 1 || !known.has(id)).map((id) => `feed: ${id}`),
    disordered: [],
  }
}

/** What is wrong with the number of notes of ours on each merge request. */
export function judgeNotes(sent: Sent[], count: (strand: string) => number): Verdict {
  const strands = new Set(sent.map(({ strand }) => strand))
  const verdict: Verdict = { lost: [], doubled: [], disordered: [] }
  for (const strand of strands) {
    const mentioning = sent.filter((one) => one.strand === strand && one.delivery.mentions)
    const notes = count(strand.name)
    if (notes === 0 && mentioning.some(({ accepted }) => accepted)) verdict.lost.push(`note: ${strand.name}`)
    if (notes > Math.min(1, mentioning.length)) verdict.doubled.push(`note: ${strand.name} has ${notes}`)
  }
  return verdict
}

/** Whether a task with these comments of ours, oldest first, must have the review project. */
export function isUnderReview(comments: string[]): boolean {
  const states = new Map<string, string>()
  for (const comment of comments) {
    const [, verb = '', address = ''] = comment.split('\n')[0]?.split(' ') ?? []
    const before = states.get(address)
    const isLate = before === 'merged' || (before !== undefined && verb === 'opened')
    if (!isLate) states.set(address, verb)
  }
  return [...states.values()].some((verb) => verb !== 'merged' && verb !== 'closed')
}

/** The lanes of which more than one effect is under way, of those in `active`. One that has ended is on its way out. */
export function overlaps(active: Array<{ id: string; lane: string; ended: boolean }>): string[] {
  const open = Map.groupBy(
    active.filter(({ ended }) => !ended),
    ({ lane }) => lane,
  )
  return [...open].flatMap(([lane, all]) => (all.length > 1 ? `${lane}: ${all.map(({ id }) => id).join(' beside ')}` : []))
}

export function join(verdicts: Verdict[]): Verdict {
  return {
    lost: verdicts.flatMap(({ lost }) => lost),
    doubled: verdicts.flatMap(({ doubled }) => doubled),
    disordered: verdicts.flatMap(({ disordered }) => disordered),
  }
}
