// `explain`: what came of a delivery or of a merge request, and why; and where to look when there is nothing to tell.
import type { Command } from 'commander'
import { explain, explainMergeRequest, whereabouts } from '../actions/explain.ts'
import { act, type Said } from '../command.ts'
import type { OpsContext } from '../context.ts'
import { filterSchema } from '../filters.ts'
import { sayStories, sayStory } from '../say.ts'
import { lines, words } from '../words.ts'

export function tell(about: string, command: Command): Promise<void> {
  return act(command, (context) => sayWhat(context, about))
}

async function sayWhat(context: OpsContext, about: string): Promise<Said> {
  const story = await explain(context, about)
  if (story) return sayStory(story)
  const { data: mr } = filterSchema.shape.mr.safeParse(about)
  if (!mr) return await noDelivery(context, about)
  const stories = await explainMergeRequest(context, mr)
  return stories.length > 0 ? sayStories(about, stories) : noMergeRequest(about, mr.project)
}

async function noDelivery(context: OpsContext, id: string): Promise<Said> {
  const state = await whereabouts(context, id)
  const there = [words`${id}: it has come (its job is ${state ?? ''}), and is not in the journal yet. Ask again in a moment.`]
  const none = [
    words`${id}: no such delivery in the journal. It never came, or has been pruned.`,
    words`  What came lately:            bin/ops deliveries --limit 10`,
    words`  What GitLab sent in vain:    bin/ops reconcile --since 2h --dry-run`,
    words`  All of a merge request:      bin/ops explain 'project!number'`,
  ]
  return { data: null, words: lines(state === undefined ? none : there), failed: true }
}

function noMergeRequest(mr: string, project: string): Said {
  const name = project.split('/').at(-1) ?? project
  const none = [
    words`${mr}: the journal has no delivery about it. It never came, is not written down yet, or has been pruned; or its project was called otherwise then.`,
    words`  Does anything come of the project?   bin/ops deliveries --project '${project}' --limit 5`,
    words`  Has the hook missed something?       bin/ops reconcile --since 2h --dry-run`,
    words`  Has the project been renamed?        bin/ops deliveries --text '${name}' --limit 10`,
    words`  Does anything wait to be read?       bin/ops status`,
  ]
  return { data: null, words: lines(none), failed: true }
}
