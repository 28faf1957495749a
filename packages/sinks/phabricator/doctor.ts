// Whose account the token for Phabricator belongs to, whether it may be used, and whether the review project is there.
import { redactor } from '#shared/process/log.ts'
import { type Finding, notLooked, ok, warning, wrong } from '#sinks/finding.ts'
import type { SettingsOf } from '#sinks/variables.ts'
import { type Conduit, openConduit } from './conduit.ts'
import type { phabricatorVariables, reviewVariables } from './variables.ts'

const id = 'phabricator'

type Asked = Partial<SettingsOf<typeof phabricatorVariables & typeof reviewVariables>>

/** Asks Phabricator about our account and the review project. Throws what Conduit does. */
export async function checkPhabricator(settings: Asked, signal: AbortSignal): Promise<Finding[]> {
  const { PHABRICATOR_URL: url, PHABRICATOR_TOKEN: token, PHABRICATOR_REVIEW_PROJECT: named } = settings
  if (!url || !token) return [notLooked(id, 'PHABRICATOR_TOKEN is not set', 'run this where the worker runs')]
  const conduit = openConduit({ url, token, redact: redactor([token()]) })
  const findings = await checkAccount(conduit, url, signal)
  return named === undefined ? findings : [...findings, await checkReviewProject(conduit, named, signal)]
}

async function checkReviewProject(conduit: Conduit, named: string, signal: AbortSignal): Promise<Finding> {
  const project = await conduit.project(named, signal)
  if (project) return ok(id, `the review project is ${project.name}; whether a task may be edited is seen when it is commented on`)
  const message = `PHABRICATOR_REVIEW_PROJECT: there is no project ${named}, or the bot may not see it; comments are made without it`
  return wrong(id, message, 'put its name, #slug or PHID there, and let the bot see it')
}

async function checkAccount(conduit: Conduit, url: string, signal: AbortSignal): Promise<Finding[]> {
  const { userName, roles } = await conduit.whoami(signal)
  if (roles.includes('disabled') || !roles.includes('activated'))
    return [wrong(id, `the account ${userName} is not activated`, 'have an administrator of Phabricator activate it')]
  if (!roles.includes('agent')) {
    const message = `the token belongs to ${userName}, a person: comments come in that name, and subscribe it to every task`
    return [warning(id, message, 'use the token of a bot account')]
  }
  return [ok(id, `${userName} at ${url}; whether Phabricator is read-only cannot be seen before something is written`)]
}
