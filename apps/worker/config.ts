// What the worker reads from its environment, and what of it must be there.
import { databaseUrl } from '#shared/process/database-address.ts'
import { isLoopback } from '#shared/process/loopback.ts'
import { configFrom, variables } from '#sinks/config.ts'
import { missingWhere } from '#sinks/settings.ts'

export const configSchema = variables
  .superRefine((env, context) => {
    const need = (variable: string, message: string) => context.addIssue({ code: 'custom', path: [variable], message })
    for (const { name, what, sink, partOf } of missingWhere(new Set(env.SINKS_ENABLED), env))
      if (!partOf) need(name, `is required for the sink ${sink}: ${what}`)
    if (databaseUrl(env) === undefined) need('DATABASE_URL', 'is required: mysql://user:password@host:port/database')
    if (env.OPS_PORT !== undefined && !isLoopback(env.OPS_HOST) && !env.OPS_TOKEN)
      need('OPS_TOKEN', 'is required when OPS_HOST is not a loopback address')
    if (env.OPS_READ_TOKEN !== undefined && env.OPS_READ_TOKEN === env.OPS_TOKEN)
      need('OPS_READ_TOKEN', 'expected another token than OPS_TOKEN')
    if (env.OPS_READ_TOKEN !== undefined && !env.OPS_TOKEN)
      need('OPS_TOKEN', 'is required with OPS_READ_TOKEN: without it everybody may change everything')
  })
  .transform(configFrom)
