// Phabricator as sinks declare it.
import { webAddress } from '#shared/process/env.ts'
import { secret, variable } from '#sinks/variables.ts'

export const phabricatorAddress = { PHABRICATOR_URL: variable(webAddress.default('https://phabricator.wikimedia.org')) }
export const phabricatorVariables = { ...phabricatorAddress, PHABRICATOR_TOKEN: secret('a Conduit API token') }

export const phabricatorName = { name: 'phabricator', title: 'Phabricator' }
export const phabricatorRemote = { ...phabricatorName, at: ({ PHABRICATOR_URL }: { PHABRICATOR_URL?: string }) => PHABRICATOR_URL }
