// GitLab as sinks declare it.
import { gitlabAddress as address } from '#shared/process/env.ts'
import { secret, variable } from '#sinks/variables.ts'

export const gitlabAddress = { GITLAB_URL: variable(address) }
export const gitlabVariables = { ...gitlabAddress, GITLAB_TOKEN: secret('an access token') }

export const gitlabName = { name: 'gitlab', title: 'GitLab' }
export const gitlabRemote = { ...gitlabName, at: ({ GITLAB_URL }: { GITLAB_URL?: string }) => GITLAB_URL }
