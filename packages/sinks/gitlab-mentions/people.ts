// Who of those listed is to be mentioned: users who are there, and who do not take part yet.
import type { GitLab, MergeRequestKey } from '#sinks/gitlab/gitlab.ts'

const mostNames = 20
const mostLookups = 3 * mostNames

/**
 * The author, the participants, the bot, and everybody whom an earlier note of ours, one that begins with `opening`, mentions;
 * in lower case. Undefined when not all notes can be looked at: nobody is mentioned twice. Throws what GitLab does.
 */
export async function takingPart(
  gitlab: GitLab,
  { opening, author }: { opening: string; author: string | undefined },
  place: MergeRequestKey,
  signal: AbortSignal,
): Promise<Set<string> | undefined> {
  const me = await gitlab.me(signal)
  const [participants, mentioned] = await Promise.all([
    gitlab.participants(place, signal),
    mentionedBy(gitlab, opening, me.username, place, signal),
  ])
  return mentioned && new Set([me.username, author ?? '', ...participants, ...mentioned].map((name) => name.toLowerCase()))
}

async function mentionedBy(
  gitlab: GitLab,
  opening: string,
  own: string,
  place: MergeRequestKey,
  signal: AbortSignal,
): Promise<Set<string> | undefined> {
  const names = new Set<string>()
  let isWhole = true
  const onBound = () => {
    isWhole = false
  }
  for await (const { body } of gitlab.notesBy(own, place, signal, onBound)) {
    if (body.startsWith(opening)) for (const [, name = ''] of body.slice(opening.length).matchAll(/@([\w.-]+)/g)) names.add(name)
  }
  return isWhole ? names : undefined
}

/** Of `absent` the first who are active users, 20 at most, and who was not looked at any more. Throws what GitLab does. */
export async function existing(gitlab: GitLab, absent: string[], signal: AbortSignal): Promise<{ names: string[]; left: string[] }> {
  const names: string[] = []
  for (const [index, name] of absent.entries()) {
    if (names.length === mostNames || index === mostLookups) return { names, left: absent.slice(index) }
    const user = await gitlab.userNamed(name, signal)
    if (user?.active && user.username.toLowerCase() !== 'all') names.push(user.username)
  }
  return { names, left: [] }
}
