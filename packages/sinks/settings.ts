// What the sinks read from the environment, all from their declarations: names, forms, secrets and their files, what is missing.
import { z } from 'zod'
import { isPlain, secretFile } from '#shared/process/env.ts'
import { expected } from '#shared/process/expected.ts'
import type { Secrets } from '#shared/process/secret.ts'
import { byDefault, choices, declarations, isOn } from './registry.ts'
import type { Declaration } from './sink.ts'
import type { Settings, Variables } from './variables.ts'

const variables = oneOfEachName(declarations.map((one) => one.variables))

/** The secrets of the sinks, by the names of their variables. */
export const sinkSecrets = Object.entries(variables).flatMap(([name, { isSecret }]) => (isSecret ? [name] : []))

const form = expected(`names out of ${choices.join(', ')}, with commas between`)

/** `SINKS_ENABLED`. */
export const sinkList = z
  .string()
  .transform((list) => list.split(',').flatMap((name) => name.trim() || []))
  .pipe(z.array(z.string().refine((name) => choices.some((choice) => choice === name), form)))
  .default(byDefault)

/** The variables of all sinks, as the environment has them: what a sink needs may be missing. */
export const sinkVariables = z.object({
  ...Object.fromEntries(
    Object.entries(variables).map(([name, { schema, needed }]) => [name, needed === undefined ? schema : schema.optional()]),
  ),
  ...Object.fromEntries(sinkSecrets.map((name) => [`${name}_FILE`, secretFile])),
})

/** What the sinks are given of `env`, which `sinkVariables` has read. Their secrets are kept in `secrets`. */
export function readSettings(env: Readonly<Record<string, unknown>>, secrets: Secrets): Settings {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, variable]) => {
      const value = env[name]
      if (value === undefined) return []
      if (!variable.isSecret) return [[name, value]]
      const isGood = (text: string) => isPlain(text) && variable.schema.safeParse(text).success
      return [[name, secrets.keep(name, z.string().parse(value), fileOf(name, env), isGood)]]
    }),
  )
}

/** The file that a secret is in; undefined when the variable itself holds it. */
export function fileOf(name: string, env: Readonly<Record<string, unknown>>): string | undefined {
  return secretFile.parse(env[`${name}_FILE`])
}

/** Where a new secret goes, which is in `file` if that is given, as a part of a sentence. */
export function whereToPut(name: string, file: string | undefined): string {
  if (file === undefined) return `put a new one into ${name}, and restart the workers`
  return `write a new one into ${file} (${name}_FILE): the workers take it over by themselves`
}

/** The names of the secrets that the sink has. */
export function secretsOf({ variables: own }: Pick<Declaration, 'variables'>): string[] {
  return Object.entries(own).flatMap(([name, { isSecret }]) => (isSecret ? [name] : []))
}

/** `settings` with something in the place of each variable that is needed and missing: enough to plan with. */
export function pretended(settings: Settings): Settings {
  const needed = Object.entries(variables).filter(([, variable]) => variable.needed !== undefined)
  return { ...Object.fromEntries(needed.map(([name, { isSecret }]) => [name, isSecret ? () => '' : '-'])), ...settings }
}

/** The names of variables that the sink needs and that are not set, with what each is. */
export function missingFor({ variables: own }: Pick<Declaration, 'variables'>, set: Readonly<Record<string, unknown>>) {
  return Object.entries(own).flatMap(([name, { needed }]) => (needed !== undefined && !set[name] ? [{ name, what: needed }] : []))
}

/** The sinks that are on with those in `enabled` and miss a variable: each that is missing. */
export function missingWhere(enabled: ReadonlySet<string>, set: Readonly<Record<string, unknown>>) {
  const on = declarations.filter((one) => isOn(one, enabled))
  return on.flatMap((one) => missingFor(one, set).map((missing) => ({ ...missing, sink: one.name, partOf: one.partOf })))
}

// Sinks may share a variable, but not have two of the same name.
function oneOfEachName(all: Variables[]): Variables {
  const found: Record<string, Variables[string]> = {}
  for (const [name, variable] of all.flatMap((one) => Object.entries(one))) {
    if ((found[name] ?? variable) !== variable) throw new Error(`The variable ${name} is declared by two sinks in two ways.`)
    found[name] = variable
  }
  return found
}
