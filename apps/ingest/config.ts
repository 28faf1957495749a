// What ingest reads from its environment.
import { z } from 'zod'
import { databaseUrl } from '#shared/process/database-address.ts'
import { connectionsAtMost } from '#shared/process/descriptors.ts'
import { gitlabAddress, places, redisUrl, secretFile, webAddress, wholeNumber, yesOrNo } from '#shared/process/env.ts'
import { readRedisUrl } from '#shared/process/redis-address.ts'
import { openSecrets } from '#shared/process/secret.ts'
import { isSigningKey, signingKeyForm } from '#shared/process/signing.ts'
import { networks } from './client-address.ts'
import { shareOut } from './connection-shares.ts'
import { isToken, longestToken } from './hooks/auth.ts'
import { whyUnwritable } from './hooks/event-log.ts'

const appendable = z.string().superRefine((path, context) => {
  const reason = whyUnwritable(path)
  if (reason !== undefined) context.addIssue(`expected a file that can be written: ${reason}`)
})

const tooLong = `expected at most ${longestToken} bytes`

export const configSchema = z
  .object({
    ...places,
    SOURCE_TOKEN: z.string().refine(isToken, tooLong).optional(),
    SOURCE_TOKEN_OLD: z.string().refine(isToken, tooLong).optional(),
    SOURCE_SIGNING_KEY: z.string().refine(isSigningKey, signingKeyForm).optional(),
    SIGNATURE_REQUIRED: yesOrNo.default(false),
    SOURCE_TOKEN_FILE: secretFile,
    SOURCE_TOKEN_OLD_FILE: secretFile,
    SOURCE_SIGNING_KEY_FILE: secretFile,
    REDIS_REPLICAS: wholeNumber(0, 10).default(0),
    SPOOL_DIR: z.string().default('./data/spool'),
    LOG_EVENTS_TO: appendable.optional(),
    GITLAB_URL: gitlabAddress,
    FEED_PRIVATE: yesOrNo.default(false),
    FEED_CONNECTIONS: wholeNumber(0, 1_000_000).default(10_000),
    FEED_CONNECTIONS_PER_ADDRESS: wholeNumber(1, 1_000_000).optional(),
    TRUSTED_PROXIES: networks.optional(),
    FEED_READER_BYTES: wholeNumber(1024, 1_000_000_000).default(1024 * 1024),
    FEED_PATIENCE: wholeNumber(1, 86_400).default(300),
    DEBUG: yesOrNo.default(false),
    PUBLIC_URL: webAddress.optional(),
    HOST: z.string().default('0.0.0.0'),
    PORT: wholeNumber(0, 65535).default(8000),
  })
  // That SOURCE_TOKEN is there is asked here and not in its form: while one is missing zod leaves out the checks of several.
  .superRefine((env, context) => {
    const need = (variable: string, message: string) => context.addIssue({ code: 'custom', path: [variable], message })
    if (env.SOURCE_TOKEN === undefined) need('SOURCE_TOKEN', 'is required: the secret that GitLab sends in X-Gitlab-Token')
    if (env.SIGNATURE_REQUIRED && env.SOURCE_SIGNING_KEY === undefined) need('SIGNATURE_REQUIRED', 'expected SOURCE_SIGNING_KEY beside it')
    const isCluster = readRedisUrl(redisUrl(env))?.kind === 'cluster'
    if (isCluster && env.REDIS_REPLICAS > 0) need('REDIS_REPLICAS', 'expected 0, or another REDIS_URL than that of a Cluster')
  })
  .transform((env) => {
    const connections = shareOut({
      all: connectionsAtMost(),
      feed: env.FEED_CONNECTIONS,
      feedPerAddress: env.FEED_CONNECTIONS_PER_ADDRESS,
    })
    return {
      ...secretsOf(env),
      signatureRequired: env.SIGNATURE_REQUIRED,
      spoolDir: env.SPOOL_DIR,
      logEventsTo: env.LOG_EVENTS_TO,
      gitlabUrl: env.GITLAB_URL,
      feedPrivate: env.FEED_PRIVATE,
      connections,
      trustedProxies: env.TRUSTED_PROXIES,
      feedLimits: {
        connections: connections.feed,
        connectionsPerAddress: connections.feedPerAddress,
        readerBytes: env.FEED_READER_BYTES,
        patienceMs: env.FEED_PATIENCE * 1000,
      },
      debug: env.DEBUG,
      publicUrl: env.PUBLIC_URL,
      host: env.HOST,
      port: env.PORT,
      redisUrl: redisUrl(env),
      redisReplicas: env.REDIS_REPLICAS,
      databaseUrl: databaseUrl(env),
      redisPrefix: env.REDIS_PREFIX,
      redisUnsafe: env.REDIS_UNSAFE === 'allow',
      tracesTo: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    }
  })

type Name = `SOURCE_${'TOKEN' | 'TOKEN_OLD' | 'SIGNING_KEY'}`
type Given = Partial<Record<Name | `${Name}_FILE`, string | undefined>>

function secretsOf(env: Given) {
  const { SOURCE_TOKEN: token = '', SOURCE_TOKEN_OLD: old, SOURCE_SIGNING_KEY: key } = env
  const secrets = openSecrets()
  return {
    secrets,
    tokens: [
      secrets.keep('SOURCE_TOKEN', token, env.SOURCE_TOKEN_FILE, isToken),
      ...(old === undefined ? [] : [secrets.keep('SOURCE_TOKEN_OLD', old, env.SOURCE_TOKEN_OLD_FILE, isToken)]),
    ],
    signingKey: key === undefined ? undefined : secrets.keep('SOURCE_SIGNING_KEY', key, env.SOURCE_SIGNING_KEY_FILE, isSigningKey),
  }
}
