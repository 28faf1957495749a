// An attack on an ingest process, from a process of its own.
import { once } from 'node:events'
import { letGo, onLeash } from '../support/leashed.ts'

const program = new URL('attacker.ts', import.meta.url).pathname

/** Begins the attacks with these names, all of them without one, on a port; resolves with what ends them. */
export async function attack(port: number, size: number, names: string[] = []): Promise<() => Promise<void>> {
  const child = onLeash(process.execPath, [program, String(port), String(size), ...names])
  await once(child.stdout, 'data')
  child.stdout.resume()
  return () => letGo(child)
}
