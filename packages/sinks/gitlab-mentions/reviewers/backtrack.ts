// For the few expressions that RE2 cannot have (look-around, back-references): JavaScript's own engine, which may take
// for ever, in a context that V8 cuts off to the millisecond. The time-out is all it is there for: an expression is
// data, no foreign code runs. The call blocks the worker, so what one match may spend on this is small.
import { createContext, Script } from 'node:vm'

const script = new Script("{ const expression = new RegExp(source, 'is'); paths.map((path) => Number(expression.test(path))).join('') }")

/** The paths in which the expression is found; throws when it takes longer than `timeoutMs`, or too much memory. */
export function backtrack(source: string, paths: readonly string[], timeoutMs: number): Set<string> {
  const found = String(script.runInContext(createContext({ source, paths }), { timeout: Math.max(1, Math.floor(timeoutMs)) }))
  return new Set(paths.filter((_, index) => found[index] === '1'))
}
