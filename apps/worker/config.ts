// What the worker reads from its environment.
import { z } from 'zod'
import { apiToken, databaseUrl, isPlain, places, redisUrl, secretFile, webAddress, wholeNumber, yesOrNo } from '#shared/process/env.ts'
import { openSecrets } from '#shared/process/secret.ts'

const sinkChoices = ['phabricator', 'gitlab-mentions', 'sse'] as const
const sinkList = z
  .string()
  .transform((list) => list.split(',').flatMap((name) => name.trim() || []))
  .pipe(z.array(z.enum(sinkChoices, { error: `expected names out of ${sinkChoices.join(', ')}, with commas between` })))

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** What is read; a command of an operator makes do without some of it. */
export const variables = z.object({
  ...places,
  SINKS_ENABLED: sinkList.default([...sinkChoices]),
  PHABRICATOR_URL: webAddress.default('https://phabricator.wikimedia.org'),
  PHABRICATOR_TOKEN: apiToken.optional(),
  PHABRICATOR_TOKEN_FILE: secretFile,
  GITLAB_URL: webAddress.default('https://gitlab.wikimedia.org'),
  GITLAB_TOKEN: apiToken.optional(),
  GITLAB_TOKEN_FILE: secretFile,
  REVIEWERS_API_URL: webAddress.default('https://www.mediawiki.org/w/api.php'),
  REVIEWERS_PAGE: z.string().default('Git/Reviewers'),
  REVIEWERS_MAX_AGE: wholeNumber(0, 300).default(120),
  MENTION_DRAFTS: yesOrNo.default(true),
  FEED_PRIVATE: yesOrNo.default(false),
  FEED_KEEP: wholeNumber(1, 10_000_000).default(10_000),
  DRY_RUN: yesOrNo.default(false),
  CONCURRENCY: wholeNumber(1, 1000).default(10),
  CALL_SECONDS: wholeNumber(1, 60).default(15),
  SETTLE_SECONDS: wholeNumber(1, 3600).default(15),
  JOURNAL_KEEP_DAYS: wholeNumber(1, 3650).default(90),
  DEBUG: yesOrNo.default(false),
  OPS_HOST: z.string().default('127.0.0.1'),
  OPS_PORT: wholeNumber(0, 65535).optional(),
  OPS_TOKEN: z.string().optional(),
  OPS_TOKEN_FILE: secretFile,
})

export const configSchema = variables
  .superRefine((env, context) => {
    const need = (variable: string, message: string) => context.addIssue({ code: 'custom', path: [variable], message })
    const enabled = new Set(env.SINKS_ENABLED)
    if (enabled.has('phabricator') && !env.PHABRICATOR_TOKEN)
      need('PHABRICATOR_TOKEN', 'is required for the sink phabricator: a Conduit API token')
    if (enabled.has('gitlab-mentions') && !env.GITLAB_TOKEN)
      need('GITLAB_TOKEN', 'is required for the sink gitlab-mentions: an access token')
    if (databaseUrl(env) === undefined) need('DATABASE_URL', 'is required: mysql://user:password@host:port/database')
    if (env.OPS_PORT !== undefined && !loopback.has(env.OPS_HOST) && !env.OPS_TOKEN)
      need('OPS_TOKEN', 'is required when OPS_HOST is not a loopback address')
  })
  .transform(configFrom)

export type Config = ReturnType<typeof configFrom>

export function configFrom(env: z.output<typeof variables>) {
  const { opsToken: token, ...secrets } = secretsOf(env)
  return {
    ...secrets,
    sinksEnabled: new Set(env.SINKS_ENABLED),
    phabricatorUrl: env.PHABRICATOR_URL,
    gitlabUrl: env.GITLAB_URL,
    reviewersApiUrl: env.REVIEWERS_API_URL,
    reviewersPage: env.REVIEWERS_PAGE,
    reviewersMaxAge: env.REVIEWERS_MAX_AGE * 1000,
    mentionDrafts: env.MENTION_DRAFTS,
    feedPrivate: env.FEED_PRIVATE,
    feedKeep: env.FEED_KEEP,
    dryRun: env.DRY_RUN,
    concurrency: env.CONCURRENCY,
    limits: { callMs: env.CALL_SECONDS * 1000, settleMs: env.SETTLE_SECONDS * 1000 },
    journalKeepDays: env.JOURNAL_KEEP_DAYS,
    debug: env.DEBUG,
    ops: env.OPS_PORT === undefined ? undefined : { host: env.OPS_HOST, port: env.OPS_PORT, token },
    redisUrl: redisUrl(env),
    redisPrefix: env.REDIS_PREFIX,
    redisUnsafe: env.REDIS_UNSAFE === 'allow',
    databaseUrl: databaseUrl(env) ?? '',
  }
}

type Given = Partial<Record<`${'PHABRICATOR' | 'GITLAB' | 'OPS'}_TOKEN${'' | '_FILE'}`, string | undefined>>

function secretsOf({ PHABRICATOR_TOKEN: phabricator, GITLAB_TOKEN: gitlab, OPS_TOKEN: ops, ...files }: Given) {
  const secrets = openSecrets()
  const keep = (name: string, value: string | undefined, file: string | undefined, isGood = isPlain) =>
    value === undefined ? undefined : secrets.keep(name, value, file, isGood)
  return {
    secrets,
    phabricatorToken: keep('PHABRICATOR_TOKEN', phabricator, files.PHABRICATOR_TOKEN_FILE),
    gitlabToken: keep('GITLAB_TOKEN', gitlab, files.GITLAB_TOKEN_FILE),
    gitlabTokenFile: files.GITLAB_TOKEN_FILE,
    opsToken: keep('OPS_TOKEN', ops, files.OPS_TOKEN_FILE, () => true),
  }
}
