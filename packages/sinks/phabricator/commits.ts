// Tasks named in the messages of a merge request's commits. GitLab must be asked for them, so this is a queue of its own:
// while GitLab is away, the tasks named in descriptions are commented on all the same.
import { z } from 'zod'
import { nothing, nothingDone } from '#shared/event/effect.ts'
import { openGitLab } from '#sinks/gitlab/gitlab.ts'
import { notShown, whileShown } from '#sinks/gitlab/shown.ts'
import { gitlabRemote, gitlabVariables } from '#sinks/gitlab/variables.ts'
import { defineSink } from '#sinks/sink.ts'
import { mostTasks, nearMiss, tasksIn } from './bug-lines.ts'
import { commentOn } from './comment.ts'
import { commentEffects, unnamed, whyNot } from './sink.ts'
import { phabricatorAddress } from './variables.ts'

const dataSchema = z.object({
  projectId: z.union([z.number(), z.string()]),
  iid: z.number(),
  action: z.string(),
  state: z.string().optional(),
  text: z.string(),
  elsewhere: z.array(z.number()),
})

/** Reads commits, and ends in comments for the tasks that they name, but not the description. */
export const commits = defineSink({
  name: 'commits',
  partOf: { sink: 'phabricator', without: 'no commit messages are read, so tasks named only there are not commented on' },
  variables: { ...gitlabVariables, ...phabricatorAddress },
  remotes: [gitlabRemote],
  repeat: 'look',
  order: 'lane',
  data: dataSchema,

  open: ({ settings: { GITLAB_URL: gitlabUrl, GITLAB_TOKEN: token, PHABRICATOR_URL: phabricatorUrl }, redact }) => ({
    gitlab: openGitLab({ url: gitlabUrl, token, redact }),
    gitlabUrl,
    phabricatorUrl,
  }),

  plan(event, { gitlabUrl, phabricatorUrl }) {
    const { mergeRequest } = event
    const reason = whyNot(event)
    if (reason !== undefined || !mergeRequest) return nothing(reason ?? unnamed)
    const { projectId, iid, action = '', state, oldrev, description } = mergeRequest
    if (action === 'update' && oldrev === undefined) return nothing('the update brings no commits')
    const data = {
      projectId,
      iid,
      action,
      ...(state !== undefined && { state }),
      text: commentOn(event, mergeRequest, gitlabUrl),
      elsewhere: tasksIn(description, phabricatorUrl),
    }
    return [{ about: 'commits', order: `${projectId}!${iid}`, data }]
  },

  perform: ({ projectId, iid, action, state, text, elsewhere }, { signal }, { gitlab, phabricatorUrl }) =>
    whileShown(gitlab, signal, async () => {
      const tasks = new Set<number>()
      let read = 'the commits'
      let miss: string | undefined
      const onBound = () => {
        read = 'those of the commits that could be read, which are too many or too large'
      }
      for await (const message of gitlab.commitMessages({ project: projectId, iid }, signal, onBound)) {
        for (const task of tasksIn(message, phabricatorUrl)) if (tasks.size < mostTasks) tasks.add(task)
        miss ??= nearMiss(message, phabricatorUrl)
      }
      for (const task of elsewhere) tasks.delete(task)
      if (tasks.size === 0) return nothingDone(`no \`Bug:\` line in ${read} names a further task${miss === undefined ? '' : `: ${miss}`}`)
      return commentEffects(text, { projectId, iid, action, state }, [...tasks])
    }),

  wouldDo: ({ projectId, iid }) => `read the commits of ${projectId}!${iid}`,
  shortfalls: [notShown],
})
