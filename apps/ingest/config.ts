// What ingest reads from its environment.
import { z } from 'zod'
import { places, redisUrl, required, wholeNumber, yesOrNo } from '#shared/env.ts'

export const configSchema = z
  .object({
    ...places,
    SOURCE_TOKEN: required('the secret that GitLab sends in X-Gitlab-Token'),
    SOURCE_TOKEN_OLD: z.string().optional(),
    LOG_EVENTS_TO: z.string().optional(),
    DEBUG: yesOrNo.default(false),
    HOST: z.string().default('0.0.0.0'),
    PORT: wholeNumber(0, 65535).default(8000),
  })
  .transform((env) => ({
    tokens: [env.SOURCE_TOKEN, ...(env.SOURCE_TOKEN_OLD ? [env.SOURCE_TOKEN_OLD] : [])],
    logEventsTo: env.LOG_EVENTS_TO,
    debug: env.DEBUG,
    host: env.HOST,
    port: env.PORT,
    redisUrl: redisUrl(env),
    redisPrefix: env.REDIS_PREFIX,
  }))

export type Config = z.output<typeof configSchema>
