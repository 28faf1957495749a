// The projects that are not public any more, as this process knows them: followed while it runs, so that what is sent again
// need not ask. The whole is read now and then, too: of a long log the beginning may be gone.
import { setTimeout as pause } from 'node:timers/promises'
import { inWords } from '#shared/process/errors.ts'
import type { Log } from '#shared/process/log.ts'
import type { About, HiddenProjects } from '#shared/queue/hidden-projects.ts'
import type { Frame } from './frame.ts'

export type Hidden = {
  /** Whether nobody may see the message any more: it was received before its project said that it is not public. */
  has: (frame: Frame) => boolean
  /** The same, of an event. */
  hides: (about: About) => boolean
  /** Changes whenever something else is hidden. */
  version: () => number
  /** Settles when the projects are known. */
  known: Promise<void>
}

const blockMs = 2000
const wholeMs = 60_000
const againMs = 500

/** Follows `projects`, which need a connection of their own, until `signal` aborts. */
export function followHidden({ projects, signal, log }: { projects: HiddenProjects; signal: AbortSignal; log: Log }): Hidden {
  let until = new Map<string, number>()
  let version = 0
  const { promise: known, resolve } = Promise.withResolvers<void>()

  async function follow(): Promise<void> {
    let place = await projects.newest()
    until = await projects.all()
    version += 1
    resolve()
    for (const start = Date.now(); !signal.aborted && Date.now() - start < wholeMs; ) {
      const more = await projects.changes(place, blockMs)
      place = more.place
      for (const [name, at] of more.changes) {
        if (at === 0) until.delete(name)
        else until.set(name, at)
      }
      if (more.changes.length > 0) version += 1
    }
  }

  async function goOn(): Promise<void> {
    while (!signal.aborted) {
      try {
        await follow()
      } catch (error) {
        if (!signal.aborted) log.warn({ reason: inWords(error) }, 'cannot read which projects are not public')
        await pause(againMs)
      }
    }
    resolve()
  }
  void goOn()

  const hides = ({ names, receivedAt }: About) => names.some((name) => receivedAt <= (until.get(name) ?? -1))

  return {
    has(frame) {
      if (until.size === 0 || frame.bytes.length === 0) return false
      const about = frame.about()
      return about !== undefined && hides(about)
    },
    hides,
    version: () => version,
    known,
  }
}
