// Projects and merge requests that GitLab does not show our account, since it may not see them any more or they are gone.
// There is nothing to do about these, and nobody to tell but whoever runs this.
import { nothingDone, type Outcome } from '#shared/event/effect.ts'
import { inWords, Permanent, Refused } from '#shared/process/errors.ts'
import type { Shortfall } from '#sinks/shortfall.ts'
import { NotFound } from './api.ts'
import type { GitLab } from './gitlab.ts'
import { gitlabName } from './variables.ts'

const begins = 'GitLab shows the bot no such '

export const notShown: Shortfall = {
  name: 'not_shown',
  id: 'gitlab',
  state: 'nothing',
  begins,
  remedy: 'add the bot to these projects, or take their hooks away',
}

/**
 * What `work` comes to, which asks GitLab about one merge request: nothing, when that or its project is not shown to us. Throws
 * what `work` throws, and `Refused` when GitLab does not show us ourselves either.
 */
export async function whileShown<T>(gitlab: GitLab, signal: AbortSignal, work: () => Promise<T>): Promise<T | Outcome> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    await mustSeeItself(gitlab, signal)
    return nothingDone(`${begins}${error.what === 'project' ? 'project' : 'merge request'}`)
  }
}

async function mustSeeItself(gitlab: GitLab, signal: AbortSignal): Promise<void> {
  const remote = gitlabName.name
  const self = await gitlab.meNow(signal).catch((error: unknown) => {
    if (error instanceof Permanent) throw new Refused(`GitLab does not show the bot itself: ${inWords(error)}`, { remote })
    throw error
  })
  if (!self.active) throw new Refused(`GitLab does not let the bot act: the account ${self.username} is not active`, { remote })
}
