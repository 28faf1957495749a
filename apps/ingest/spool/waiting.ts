// How many deliveries wait in the spool, and since when: those that are being written, and those that are in files of ours.

export type Waiting = {
  count: () => number
  /** When the first of them came, in ms since 1970. */
  since: () => number | undefined
  /** One is being written; call what it answers with the path of its file, or with nothing when it was not kept. */
  add: () => (path?: string) => void
  /** One of those in the file at `path` has been handed over. */
  handedOver: (path: string) => void
  /** Files other than the one at `path` are not ours any more. */
  only: (path: string | undefined) => void
}

/** `onEmpty` is told when nothing waits any more. */
export function countWaiting(onEmpty: () => void): Waiting {
  const files = new Map<string, number>()
  let writing = 0
  let since: number | undefined

  const count = () => [...files.values()].reduce((sum, number) => sum + number, writing)
  const change = (path: string, by: number) => {
    const number = (files.get(path) ?? 0) + by
    if (number > 0) files.set(path, number)
    else files.delete(path)
  }
  const look = (tell: () => void = () => undefined) => {
    if (count() > 0 || since === undefined) return
    since = undefined
    tell()
  }

  return {
    count,
    since: () => since,
    add() {
      writing += 1
      since ??= Date.now()
      return (path) => {
        writing -= 1
        if (path !== undefined) change(path, 1)
        look()
      }
    },
    handedOver(path) {
      change(path, -1)
      look(onEmpty)
    },
    only(path) {
      for (const other of files.keys()) if (other !== path) files.delete(other)
      look(onEmpty)
    },
  }
}
