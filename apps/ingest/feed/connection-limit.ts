// How many streams may be open, all together and from one address. When there is no room, whoever comes is asked to come
// again later; nobody who is there must go.

export type ConnectionLimit = {
  /** Takes a slot for a connection from `address`: a function that gives it back, or why there is none. */
  take: (address: string) => (() => void) | 'connections' | 'connections per address'
  taken: () => number
}

export function openConnectionLimit({ most, mostPerAddress }: { most: number; mostPerAddress: number }): ConnectionLimit {
  const taken = new Map<string, number>()
  let all = 0
  return {
    take(address) {
      const here = taken.get(address) ?? 0
      if (all >= most) return 'connections'
      if (here >= mostPerAddress) return 'connections per address'
      all += 1
      taken.set(address, here + 1)
      return () => {
        all -= 1
        const left = (taken.get(address) ?? 1) - 1
        if (left > 0) taken.set(address, left)
        else taken.delete(address)
      }
    },
    taken: () => all,
  }
}
