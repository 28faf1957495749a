// What the worker and the operators' tools read from their environment, with what the sinks declare.
import { z } from 'zod'
import { databaseUrl } from '#shared/process/database-address.ts'
import { places, redisUrl, secretFile, wholeNumber, yesOrNo } from '#shared/process/env.ts'
import { openSecrets } from '#shared/process/secret.ts'
import { gitlabVariables } from '#sinks/gitlab/variables.ts'
import { fileOf, readSettings, sinkList, sinkVariables, whereToPut } from './settings.ts'
import { settingsOf } from './variables.ts'

const ownVariables = z.object({
  ...places,
  SINKS_ENABLED: sinkList,
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
  OPS_READ_TOKEN: z.string().optional(),
  OPS_READ_TOKEN_FILE: secretFile,
})

/** What is read, with what the sinks declare; a command of an operator makes do without some of it. */
export const variables = ownVariables.and(sinkVariables)
/** The names of all of them. */
export const variableNames = [...Object.keys(ownVariables.shape), ...Object.keys(sinkVariables.shape)]

/** What the variables say. */
export type WorkerConfig = ReturnType<typeof configFrom>

/** Makes of the variables, which have been read, what the parts are given. */
export function configFrom(env: z.output<typeof variables>) {
  const secrets = openSecrets()
  const settings = readSettings(env, secrets)
  const { GITLAB_URL: gitlabUrl = '', GITLAB_TOKEN: gitlabToken } = settingsOf(gitlabVariables, settings)
  const kept = (name: 'OPS_TOKEN' | 'OPS_READ_TOKEN', value: string | undefined) =>
    value === undefined ? undefined : secrets.keep(name, value, env[`${name}_FILE`], () => true)
  const token = kept('OPS_TOKEN', env.OPS_TOKEN)
  const readToken = kept('OPS_READ_TOKEN', env.OPS_READ_TOKEN)
  return {
    secrets,
    sinksEnabled: new Set(env.SINKS_ENABLED),
    /** What the sinks are given of their variables. */
    settings,
    gitlabUrl,
    gitlabToken,
    gitlabTokenFile: fileOf('GITLAB_TOKEN', env),
    /** What to do with a new one in the place of the secret `name` of a sink, as a part of a sentence. */
    whereToPut: (name: string) => whereToPut(name, fileOf(name, env)),
    feedKeep: env.FEED_KEEP,
    dryRun: env.DRY_RUN,
    concurrency: env.CONCURRENCY,
    limits: { callMs: env.CALL_SECONDS * 1000, settleMs: env.SETTLE_SECONDS * 1000 },
    journalKeepDays: env.JOURNAL_KEEP_DAYS,
    debug: env.DEBUG,
    ops: env.OPS_PORT === undefined ? undefined : { host: env.OPS_HOST, port: env.OPS_PORT, token, readToken },
    redisUrl: redisUrl(env),
    redisPrefix: env.REDIS_PREFIX,
    redisUnsafe: env.REDIS_UNSAFE === 'allow',
    tracesTo: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    databaseUrl: databaseUrl(env) ?? '',
  }
}
