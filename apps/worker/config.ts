// What the worker reads from its environment.
import { z } from 'zod'
import { databaseUrl, places, redisUrl, webAddress, wholeNumber, yesOrNo } from '#shared/env.ts'

const sinkChoices = ['phabricator', 'gitlab-mentions', 'sse'] as const
const sinkList = z
  .string()
  .transform((list) => list.split(',').flatMap((name) => name.trim() || []))
  .pipe(z.array(z.enum(sinkChoices, { error: `expected names out of ${sinkChoices.join(', ')}, with commas between` })))

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

export const configSchema = z
  .object({
    ...places,
    SINKS_ENABLED: sinkList.default([...sinkChoices]),
    PHABRICATOR_URL: webAddress.default('https://phabricator.wikimedia.org'),
    PHABRICATOR_TOKEN: z.string().optional(),
    GITLAB_URL: webAddress.default('https://gitlab.wikimedia.org'),
    GITLAB_TOKEN: z.string().optional(),
    REVIEWERS_API_URL: webAddress.default('https://www.mediawiki.org/w/api.php'),
    REVIEWERS_PAGE: z.string().default('Git/Reviewers'),
    REVIEWERS_MAX_AGE: wholeNumber(0, 300).default(120),
    MENTION_DRAFTS: yesOrNo.default(true),
    FEED_PRIVATE: yesOrNo.default(false),
    FEED_KEEP: wholeNumber(1, 10_000_000).default(10_000),
    DRY_RUN: yesOrNo.default(false),
    CONCURRENCY: wholeNumber(1, 1000).default(10),
    DEBUG: yesOrNo.default(false),
    OPS_HOST: z.string().default('127.0.0.1'),
    OPS_PORT: wholeNumber(0, 65535).optional(),
    OPS_TOKEN: z.string().optional(),
  })
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
  .transform((env) => ({
    sinksEnabled: new Set(env.SINKS_ENABLED),
    phabricatorUrl: env.PHABRICATOR_URL,
    phabricatorToken: env.PHABRICATOR_TOKEN,
    gitlabUrl: env.GITLAB_URL,
    gitlabToken: env.GITLAB_TOKEN,
    reviewersApiUrl: env.REVIEWERS_API_URL,
    reviewersPage: env.REVIEWERS_PAGE,
    reviewersMaxAge: env.REVIEWERS_MAX_AGE * 1000,
    mentionDrafts: env.MENTION_DRAFTS,
    feedPrivate: env.FEED_PRIVATE,
    feedKeep: env.FEED_KEEP,
    dryRun: env.DRY_RUN,
    concurrency: env.CONCURRENCY,
    debug: env.DEBUG,
    ops: env.OPS_PORT === undefined ? undefined : { host: env.OPS_HOST, port: env.OPS_PORT, token: env.OPS_TOKEN },
    redisUrl: redisUrl(env),
    redisPrefix: env.REDIS_PREFIX,
    redisUnsafe: env.REDIS_UNSAFE === 'allow',
    databaseUrl: databaseUrl(env) ?? '',
  }))

export type Config = z.output<typeof configSchema>
