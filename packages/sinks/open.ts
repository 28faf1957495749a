// The sinks at work, over the remotes they need.
import { declarations, isOn, type SinkName } from './registry.ts'
import { missingFor } from './settings.ts'
import type { Parts, Sink } from './sink.ts'
import type { Settings } from './variables.ts'

export type Sinks = Partial<Record<SinkName, Sink>>

/** The sinks that are on with those in `enabled`. One that is part of another is left out while a variable it needs is missing. */
export function openSinks({ enabled, settings, ...parts }: Parts & { enabled: ReadonlySet<string>; settings: Settings }): Sinks {
  const due = declarations.filter((one) => isOn(one, enabled) && missingFor(one, settings).length === 0)
  return Object.fromEntries(due.map((one) => [one.name, one.open(parts, settings)]))
}

/** The enabled sinks with their names. */
export function sinkEntries(sinks: Sinks): Array<[SinkName, Sink]> {
  return declarations.flatMap(({ name }) => {
    const sink = sinks[name]
    return sink ? [[name, sink]] : []
  })
}
