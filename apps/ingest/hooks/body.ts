// Reads a request's body to the byte, with a limit, straight from Node's stream: the generic ways halve the throughput.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

/** GitLab's own limit for a hook's body, in bytes. */
export const bodyLimit = 25 * 1024 * 1024

/** The length that a request says its body has, in bytes. */
export function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

type Options = {
  limit?: number
  /** Gets each piece as it comes. */
  onChunk?: ((chunk: Buffer) => void) | undefined
  /** Ends the reading. */
  signal?: AbortSignal | undefined
}

/**
 * The whole body in pieces, `too large` as soon as that is known (nothing is read on then), `cut off` when the sender goes away,
 * or `given up` when `signal` aborts.
 */
export function readBody(
  incoming: IncomingMessage,
  { limit = bodyLimit, onChunk, signal }: Options = {},
): Promise<Buffer[] | 'too large' | 'cut off' | 'given up'> {
  if ((lengthOf(incoming) ?? 0) > limit) return Promise.resolve('too large')
  if (incoming.destroyed) return Promise.resolve('cut off')
  return new Promise((resolve) => {
    let chunks: Buffer[] = []
    let size = 0
    // The listeners live as long as the connection, with all that they refer to. So at the end they let go of the promise and
    // of the pieces; else each would keep its body.
    let settle: typeof resolve | undefined = resolve
    const end = (result: Parameters<typeof resolve>[0]) => {
      settle?.(result)
      settle = undefined
      chunks = []
    }
    const stop = (reason: 'too large' | 'given up') => {
      incoming.off('data', onData).pause()
      end(reason)
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) return stop('too large')
      chunks.push(chunk)
      onChunk?.(chunk)
    }
    incoming
      .on('data', onData)
      .on('end', () => end(chunks))
      .on('error', () => end('cut off'))
      .on('close', () => end('cut off'))
    signal?.addEventListener('abort', () => stop('given up'))
  })
}

export function bytesOf(chunks: Buffer[]): Buffer {
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

/** The text of `bytes`, or undefined when they are not UTF-8 and so could not be given back to the byte. */
export function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}
