// Phabricator as sinks declare it.
import { z } from 'zod'
import { webAddress } from '#shared/process/env.ts'
import { secret, variable } from '#sinks/variables.ts'

export const phabricatorAddress = { PHABRICATOR_URL: variable(webAddress.default('https://phabricator.wikimedia.org')) }
export const phabricatorVariables = { ...phabricatorAddress, PHABRICATOR_TOKEN: secret('a Conduit API token') }

const reviewProject = z
  .string()
  .trim()
  .max(200, 'expected the name of a project')
  .refine((text) => text !== '#', 'expected a project: its name, #slug or PHID')
export const reviewVariables = { PHABRICATOR_REVIEW_PROJECT: variable(reviewProject.optional()) }

export const phabricatorName = { name: 'phabricator', title: 'Phabricator' }
export const phabricatorRemote = { ...phabricatorName, at: ({ PHABRICATOR_URL }: { PHABRICATOR_URL?: string }) => PHABRICATOR_URL }
