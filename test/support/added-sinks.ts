// What `bin/dev` takes over from the environment that it is started in: the variables of sinks that are off where nobody names
// them. Those that are on have the sandbox's.
import { byDefault, declarations, isOn } from '#sinks/registry.ts'
import type { Environment } from './service.ts'

/** Of `given` what those sinks declare and is not in `taken`, and all sinks that are on then. */
export function forAddedSinks(given: NodeJS.ProcessEnv, taken: Environment): Environment {
  const added = declarations.filter((one) => !isOn(one, new Set(byDefault)))
  const names = added.flatMap(({ variables }) => Object.keys(variables)).filter((name) => !(name in taken))
  const set = [...names, ...names.map((name) => `${name}_FILE`)].flatMap((name) => (given[name] ? [[name, given[name]]] : []))
  const sinks = given.SINKS_ENABLED ? { SINKS_ENABLED: [...byDefault, given.SINKS_ENABLED].join(',') } : {}
  return { ...Object.fromEntries(set), ...sinks }
}
