// What ingest reads from its environment.
import { z } from 'zod'
import { places, redisUrl, required, wholeNumber, yesOrNo } from '#shared/env.ts'
import { isToken, longestToken } from './auth.ts'
import { whyUnwritable } from './event-log.ts'
import { isSigningKey } from './signature.ts'

const appendable = z.string().superRefine((path, context) => {
  const reason = whyUnwritable(path)
  if (reason !== undefined) context.addIssue(`expected a file that can be written: ${reason}`)
})

const tooLong = `expected at most ${longestToken} bytes`

export const configSchema = z
  .object({
    ...places,
    SOURCE_TOKEN: required('the secret that GitLab sends in X-Gitlab-Token').refine(isToken, tooLong),
    SOURCE_TOKEN_OLD: z.string().refine(isToken, tooLong).optional(),
    SOURCE_SIGNING_KEY: z.string().refine(isSigningKey, 'expected whsec_ and Base64, as GitLab shows it').optional(),
    SPOOL_DIR: z.string().default('./data/spool'),
    LOG_EVENTS_TO: appendable.optional(),
    DEBUG: yesOrNo.default(false),
    HOST: z.string().default('0.0.0.0'),
    PORT: wholeNumber(0, 65535).default(8000),
  })
  .transform((env) => ({
    tokens: [env.SOURCE_TOKEN, ...(env.SOURCE_TOKEN_OLD ? [env.SOURCE_TOKEN_OLD] : [])],
    signingKey: env.SOURCE_SIGNING_KEY,
    spoolDir: env.SPOOL_DIR,
    logEventsTo: env.LOG_EVENTS_TO,
    debug: env.DEBUG,
    host: env.HOST,
    port: env.PORT,
    redisUrl: redisUrl(env),
    redisPrefix: env.REDIS_PREFIX,
    redisUnsafe: env.REDIS_UNSAFE === 'allow',
  }))

export type Config = z.output<typeof configSchema>
