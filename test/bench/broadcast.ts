// Messages for the readers of `feed-readers.ts`: each says when it was sent, and ends with the one tilde they look for.

/** Hands `count` messages of `bytes` to `publish`: `rate` a second, or without one as fast as they are taken. */
export async function broadcast(
  publish: (message: string) => Promise<unknown>,
  { count, bytes, rate }: { count: number; bytes: number; rate?: number },
): Promise<void> {
  const filler = 'x'.repeat(bytes - 60)
  const sent: Array<Promise<unknown>> = []
  const start = performance.now()
  for (let index = 0; index < count; index++) {
    if (rate !== undefined)
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, start + (index * 1000) / rate - performance.now())))
    else if (index % 20 === 19) await Promise.all(sent.splice(0))
    sent.push(publish(`{"filler":"${filler}","sent":"${(performance.timeOrigin + performance.now()).toFixed(3)}~"}`))
  }
  await Promise.all(sent)
}
