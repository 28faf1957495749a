// One note on a merge request that @-mentions the people whom the reviewers page lists for it and who do not yet take
// part. The note is our own fixed text and names of existing users, nothing else.
import { z } from 'zod'
import { nothing, nothingDone, onlyWould } from '#shared/event/effect.ts'
import type { GitLabEvent, MergeRequest } from '#shared/event/event.ts'
import type { Log } from '#shared/process/log.ts'
import type { GitLab, Place } from '#sinks/gitlab/gitlab.ts'
import { type Sink, sink } from '#sinks/sink.ts'
import { match, needsFiles } from './reviewers/match.ts'
import type { Report } from './reviewers/report.ts'
import type { Wiki } from './wiki.ts'

const dataSchema = z.object({
  projectId: z.union([z.number(), z.string()]),
  projectPath: z.string(),
  iid: z.number(),
  link: z.string().optional(),
})
type Data = z.output<typeof dataSchema>

const mostNames = 20
const mostLookups = 3 * mostNames

type Parts = { gitlab: GitLab; wiki: Wiki; mentionDrafts: boolean; dryRun: boolean; report: Report; log: Log }

/** The sink that asks `wiki` whom to mention and writes the note through `gitlab`. */
export function gitlabMentions({ gitlab, wiki, mentionDrafts, dryRun, report, log }: Parts): Sink {
  const opening = `People listed as [reviewers](${wiki.link}) of this project:`

  return sink<Data>({
    data: dataSchema,

    plan(event) {
      const { mergeRequest } = event
      if (event.kind !== 'merge_request') return nothing('not about a merge request')
      if (!mergeRequest) return nothing('it does not say which merge request it is about')
      const reason = whyNobody(event, mergeRequest, mentionDrafts)
      if (reason !== undefined) return nothing(reason)
      const { projectId, projectPath, iid, url } = mergeRequest
      const data = { projectId, projectPath, iid, ...(url !== undefined && { link: url }) }
      return [{ sink: 'gitlab-mentions', about: 'note', order: `${projectId}!${iid}`, data }]
    },

    async perform({ projectId, projectPath, iid, link }, { signal, made, fence }) {
      const noteAt = (id: string) => ({ state: 'done' as const, made: id, ...(link !== undefined && { link: `${link}#note_${id}` }) })
      if (made !== undefined) return noteAt(made)
      const place = { project: projectId, iid }
      const page = await wiki.reviewers(signal)
      const files = needsFiles(page, projectPath) ? await gitlab.changedFiles(place, signal) : []
      const { usernames, problems } = await match(page, projectPath, files)
      report(projectPath, problems)
      if (usernames.length === 0) return nothingDone('the reviewers page lists nobody for it')

      const taken = await takingPart(place, signal)
      if (!taken) return nothingDone('its notes are too many, or too large, to see whom one of ours mentions already')
      const absent = usernames.filter((name) => !taken.has(name.toLowerCase()))
      const { names, left } = await existing(absent, signal)
      if (left.length > 0) log.warn({ project: projectPath, iid, left }, 'too many reviewers to mention')
      if (names.length === 0) return nothingDone(`all ${usernames.length} listed reviewers take part already, or are no users here`)

      const body = `${opening} ${names.map((name) => `@${name}`).join(' ')}`
      if (dryRun) return onlyWould(`mention ${names.join(', ')}`)
      return noteAt(String(await gitlab.postNote(place, body, signal, fence)))
    },
  })

  // The author, the participants, the bot, and everybody whom an earlier note of ours mentions; in lower case. Undefined
  // when not all notes can be looked at: nobody is mentioned twice.
  async function takingPart(place: Place, signal: AbortSignal): Promise<Set<string> | undefined> {
    const me = await gitlab.me(signal)
    const [author, participants, mentioned] = await Promise.all([
      gitlab.author(place, signal),
      gitlab.participants(place, signal),
      mentionedBy(me.username, place, signal),
    ])
    return mentioned && new Set([me.username, author ?? '', ...participants, ...mentioned].map((name) => name.toLowerCase()))
  }

  async function mentionedBy(own: string, place: Place, signal: AbortSignal): Promise<Set<string> | undefined> {
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
  async function existing(absent: string[], signal: AbortSignal): Promise<{ names: string[]; left: string[] }> {
    const names: string[] = []
    for (const [index, name] of absent.entries()) {
      if (names.length === mostNames || index === mostLookups) return { names, left: absent.slice(index) }
      const user = await gitlab.userNamed(name, signal)
      if (user?.active && user.username.toLowerCase() !== 'all') names.push(user.username)
    }
    return { names, left: [] }
  }
}

function whyNobody({ action }: GitLabEvent, mergeRequest: MergeRequest, mentionDrafts: boolean): string | undefined {
  if (action === undefined) return 'no action: a test delivery'
  if (mergeRequest.system) return 'made by GitLab itself, not by a person'
  if (mergeRequest.state !== undefined && mergeRequest.state !== 'opened') return `the merge request is ${mergeRequest.state}`
  if (mergeRequest.draft && !mentionDrafts) return 'the merge request is a draft'
  if (action === 'open' || action === 'reopen') return undefined
  if (action !== 'update') return `action ${action} brings no mentions`
  if (mergeRequest.oldrev !== undefined || mergeRequest.changes.target_branch || becameReady(mergeRequest)) return undefined
  return 'the update changed neither the code nor the target, nor made it ready'
}

const draftTitle = /^\s*(\[draft\]|\(draft\)|draft:|wip:|\[wip\])/i

// Newer GitLabs say it in `draft`, older ones in `work_in_progress` or only in the title.
function becameReady({ changes }: MergeRequest): boolean {
  const { draft, work_in_progress: wip, title } = changes
  for (const change of [draft, wip]) if (change) return change.previous === true && change.current === false
  return title !== undefined && draftTitle.test(String(title.previous)) && !draftTitle.test(String(title.current))
}
