// The list of sinks, and the only one. A new one is a folder, its name here, and a test; docs/add-a-sink.md shows it.
import { commits } from '#sinks/phabricator/commits.ts'
import { phabricator } from '#sinks/phabricator/sink.ts'
import { feed } from './feed/sink.ts'
import { gitlabMentions } from './gitlab-mentions/sink.ts'
import type { Declaration } from './sink.ts'

const declared = [phabricator, commits, gitlabMentions, feed] as const

/** Every sink as it was declared, in the order in which they are told of. */
export const declarations: ReadonlyArray<Declaration<SinkName>> = declared

export type SinkName = (typeof declared)[number]['name']
export const sinkNames: readonly SinkName[] = declared.map(({ name }) => name)

/** The sinks that can be named in `SINKS_ENABLED`: those that are not part of another. */
export const choices = declarations.flatMap(({ name, partOf }) => (partOf ? [] : [name]))
/** The sinks that are on where nobody says which. */
export const byDefault = declarations.flatMap(({ name, byDefault: isOn }) => (isOn ? [name] : []))

/** The sinks whose effects all run one after another. */
export const oneByOne: ReadonlySet<string> = new Set(declarations.flatMap(({ name, order }) => (order === 'one-by-one' ? [name] : [])))

/** The sink of that name; undefined for the router's letters, and for a sink that is not there any more. */
export function sinkOf(name: string): SinkName | undefined {
  return declarations.find((one) => one.name === name)?.name
}

/** The declaration of the sink of that name. */
export function declarationOf(name: string): Declaration<SinkName> | undefined {
  return declarations.find((one) => one.name === name)
}

/** Whether the sink is on where those in `enabled` are: one that is part of another is so with it. */
export function isOn({ name, partOf }: Declaration, enabled: ReadonlySet<string>): boolean {
  return enabled.has(partOf?.sink ?? name)
}
