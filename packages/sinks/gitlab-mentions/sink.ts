// One note on a merge request that @-mentions the people whom the reviewers page lists for it and who do not yet take
// part. The note is our own fixed text and names of existing users, nothing else.
import { z } from 'zod'
import { nothing, nothingDone, onlyWould, shortList } from '#shared/event/effect.ts'
import { yesOrNo } from '#shared/process/env.ts'
import { type GitLab, type MergeRequestKey, openGitLab } from '#sinks/gitlab/gitlab.ts'
import { notShown, whileShown } from '#sinks/gitlab/shown.ts'
import { gitlabRemote, gitlabVariables } from '#sinks/gitlab/variables.ts'
import { defineSink } from '#sinks/sink.ts'
import { variable } from '#sinks/variables.ts'
import { checkReviewers } from './doctor.ts'
import { match, needsFiles } from './reviewers/match.ts'
import { reporter } from './reviewers/report.ts'
import { wikiRemote, wikiVariables } from './variables.ts'
import { whyNobody } from './why-nobody.ts'
import { openWiki } from './wiki.ts'

const dataSchema = z.object({
  projectId: z.union([z.number(), z.string()]),
  projectPath: z.string(),
  iid: z.number(),
  link: z.string().optional(),
})

const mostNames = 20
const mostLookups = 3 * mostNames

const openingWith = (link: string) => `People listed as [reviewers](${link}) of this project:`

/** Asks the wiki whom to mention, and writes the note through GitLab. */
export const gitlabMentions = defineSink({
  name: 'gitlab-mentions',
  byDefault: true,
  makes: 'note',
  variables: { ...gitlabVariables, ...wikiVariables, MENTION_DRAFTS: variable(yesOrNo.default(true)) },
  remotes: [gitlabRemote, wikiRemote],
  repeat: 'look',
  order: 'lane',
  data: dataSchema,

  open({ settings, redact, log, metrics }) {
    const report = reporter({ log, metrics })
    const maxAge = settings.REVIEWERS_MAX_AGE * 1000
    return {
      gitlab: openGitLab({ url: settings.GITLAB_URL, token: settings.GITLAB_TOKEN, redact }),
      wiki: openWiki({ apiUrl: settings.REVIEWERS_API_URL, page: settings.REVIEWERS_PAGE, maxAge, report, log }),
      mentionDrafts: settings.MENTION_DRAFTS,
      report,
      log,
    }
  },

  plan(event, { mentionDrafts }) {
    const { mergeRequest } = event
    if (event.kind !== 'merge_request') return nothing('not about a merge request')
    if (!mergeRequest) return nothing('it does not say which merge request it is about')
    const reason = whyNobody(event, mergeRequest, mentionDrafts)
    if (reason !== undefined) return nothing(reason)
    const { projectId, projectPath, iid, url } = mergeRequest
    const data = { projectId, projectPath, iid, ...(url !== undefined && { link: url }) }
    return [{ about: 'note', order: `${projectId}!${iid}`, data }]
  },

  async perform({ projectId, projectPath, iid, link }, { signal, made, fence, dryRun }, { gitlab, wiki, report, log }) {
    const noteAt = (id: string) => ({ state: 'done' as const, made: id, ...(link !== undefined && { link: `${link}#note_${id}` }) })
    if (made !== undefined) return noteAt(made)
    return await whileShown(gitlab, signal, async () => {
      const place = { project: projectId, iid }
      const opening = openingWith(wiki.link)
      const page = await wiki.reviewers(signal)
      if (page.missing) return nothingDone('the reviewers page does not exist')
      const files = needsFiles(page, projectPath) ? await gitlab.changedFiles(place, signal) : []
      const { usernames, problems } = await match(page, projectPath, files)
      report(projectPath, problems)
      if (usernames.length === 0) return nothingDone('the reviewers page lists nobody for it')

      const taken = await takingPart(gitlab, opening, place, signal)
      if (!taken) return nothingDone('its notes are too many, or too large, to see whom one of ours mentions already')
      const absent = usernames.filter((name) => !taken.has(name.toLowerCase()))
      const { names, left } = await existing(gitlab, absent, signal)
      if (left.length > 0) log.warn({ project: projectPath, iid, left }, 'too many reviewers to mention')
      if (names.length === 0) return nothingDone(nobodyLeft(usernames, absent))

      const body = `${opening} ${names.map((name) => `@${name}`).join(' ')}`
      if (dryRun) return onlyWould(`mention ${names.join(', ')}`)
      return noteAt(String(await gitlab.postNote(place, body, signal, fence)))
    })
  },

  wouldDo: ({ projectId, iid }) => `mention reviewers on ${projectId}!${iid}`,
  check: { id: 'reviewers', ask: checkReviewers, remedy: 'see that REVIEWERS_API_URL is right, and reached from here' },
  shortfalls: [notShown],
})

function nobodyLeft(listed: string[], absent: string[]): string {
  const present = listed.filter((name) => !absent.includes(name))
  const groups = Object.entries({ 'take part already': present, 'no users here': absent })
  const said = groups.flatMap(([what, names]) => (names.length === 0 ? [] : [`${what}: ${shortList(names)}`]))
  return `nobody of the ${listed.length} listed reviewers is left to mention (${said.join('; ')})`
}

// The author, the participants, the bot, and everybody whom an earlier note of ours mentions; in lower case. Undefined
// when not all notes can be looked at: nobody is mentioned twice.
async function takingPart(gitlab: GitLab, opening: string, place: MergeRequestKey, signal: AbortSignal): Promise<Set<string> | undefined> {
  const me = await gitlab.me(signal)
  const [author, participants, mentioned] = await Promise.all([
    gitlab.author(place, signal),
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

// Of `absent` the first who are active users, and who was not looked at any more.
async function existing(gitlab: GitLab, absent: string[], signal: AbortSignal): Promise<{ names: string[]; left: string[] }> {
  const names: string[] = []
  for (const [index, name] of absent.entries()) {
    if (names.length === mostNames || index === mostLookups) return { names, left: absent.slice(index) }
    const user = await gitlab.userNamed(name, signal)
    if (user?.active && user.username.toLowerCase() !== 'all') names.push(user.username)
  }
  return { names, left: [] }
}
