// The environment variables that a sink declares: what is expected, whether the sink can do without, whether it is a secret.
import type { z } from 'zod'
import { apiToken } from '#shared/process/env.ts'
import type { Secret } from '#shared/process/secret.ts'

export type Plain<T> = { schema: z.ZodType<T>; needed: string | undefined; isSecret: false }
export type SecretVariable = { schema: z.ZodType<string>; needed: string; isSecret: true }

/** Variables by their names in the environment. */
export type Variables = Readonly<Record<string, Plain<unknown> | SecretVariable>>

/** What the sink is given of its variables, by the same names: values, and secrets as functions that tell them as they are now. */
export type SettingsOf<V extends Variables> = {
  readonly [K in keyof V]: V[K] extends SecretVariable ? Secret : V[K] extends Plain<infer T> ? T : never
}

/** The settings of all sinks together. */
export type Settings = Readonly<Record<string, unknown>>

/** A variable with a default in its `schema`; or one without, which the sink needs: `needed` says in words what it is. */
export function variable<T>(schema: z.ZodType<T>, needed?: string): Plain<T> {
  return { schema, needed, isSecret: false }
}

/**
 * A variable that nobody may see; `what` says in words what it is. The sink needs it. It may be in the file that `<NAME>_FILE`
 * names, and is never told in a log, an error or a job.
 */
export function secret(what: string, schema: z.ZodType<string> = apiToken): SecretVariable {
  return { schema, needed: what, isSecret: true }
}

/** Of the settings of all sinks those of `variables`, as far as they are set. */
export function settingsOf<V extends Variables>(variables: V, all: Settings): Partial<SettingsOf<V>> {
  const own = Object.keys(variables).flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]]))
  // Each was read by the schema of the variable of its name.
  return Object.fromEntries(own) as Partial<SettingsOf<V>>
}
