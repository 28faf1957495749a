// A program that reads the feed through all that happens: whenever its stream breaks it comes back with the last cursor
// it has seen.
import { setTimeout as pause } from 'node:timers/promises'
import { readFeed } from '../support/feed.ts'

export type Follower = { cursors: string[]; data: string[]; stop: () => void }

/** Follows the feed at `url` from its beginning. */
export function follow(url: string): Follower {
  const cursors: string[] = []
  const data: string[] = []
  let stopped = false
  let close: () => void = () => undefined

  async function read(): Promise<void> {
    while (!stopped) {
      try {
        const reader = await readFeed(url, { 'last-event-id': cursors.at(-1) ?? '0-0' })
        let taken = 0
        const take = () => {
          for (const { id, data: message } of reader.messages.slice(taken)) {
            cursors.push(id ?? '')
            data.push(message)
          }
          taken = reader.messages.length
        }
        const taking = setInterval(take, 50)
        close = reader.close
        await reader.ended.finally(() => {
          clearInterval(taking)
          take()
        })
      } catch {
        await pause(200)
      }
    }
  }
  void read()
  return {
    cursors,
    data,
    stop() {
      stopped = true
      close()
    },
  }
}
