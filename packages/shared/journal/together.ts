// While one group is on its way, what comes meanwhile gathers to be the next: the busier it is the larger the groups, and
// nothing ever waits for company.

type Waiting<T> = { item: T; resolve: () => void; reject: (error: unknown) => void }

const most = 100
const heaviest = 1024 * 1024

type Parts<T> = { send: (items: T[]) => Promise<void>; weigh: (item: T) => number }

/**
 * A function that hands items to `send`, in their order, one group after another: at most 100 items, and more than one only
 * if they weigh at most 1 MiB together (`weigh` answers bytes). It resolves when the group of its item has been sent, and
 * rejects with what `send` threw for that group.
 */
export function together<T>({ send, weigh }: Parts<T>): (item: T) => Promise<void> {
  let waiting: Array<Waiting<T>> = []
  let sending = false

  async function sendAll(): Promise<void> {
    sending = true
    while (waiting.length > 0) {
      const count = nextOnes()
      const group = waiting.slice(0, count)
      waiting = waiting.slice(count)
      try {
        await send(group.map(({ item }) => item))
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    sending = false
  }

  function nextOnes(): number {
    let count = 0
    for (let weight = 0; count < Math.min(most, waiting.length); count += 1) {
      const next = waiting[count]
      weight += next ? weigh(next.item) : 0
      if (count > 0 && weight > heaviest) break
    }
    return count
  }

  return function take(item) {
    return new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!sending) void sendAll()
    })
  }
}
