// One note on a merge request that @-mentions the people whom the reviewers page lists for it and who do not yet take
// part. The note is our own fixed text and names of existing users, nothing else.
import { z } from 'zod'
import { nothing, nothingDone, onlyWould, shortList } from '#shared/event/effect.ts'
import { yesOrNo } from '#shared/process/env.ts'
import { openGitLab } from '#sinks/gitlab/gitlab.ts'
import { notShown, whileShown } from '#sinks/gitlab/shown.ts'
import { gitlabRemote, gitlabVariables } from '#sinks/gitlab/variables.ts'
import { defineSink } from '#sinks/sink.ts'
import { variable } from '#sinks/variables.ts'
import { checkReviewers } from './doctor.ts'
import { existing, takingPart } from './people.ts'
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

      const { state, author } = await gitlab.mergeRequest(place, signal)
      if (state === 'merged' || state === 'closed') return nothingDone(`it is ${state} by now`)
      const taken = await takingPart(gitlab, { opening, author }, place, signal)
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
