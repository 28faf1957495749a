// Reads a request's body to the byte, with a limit, straight from Node's stream: the generic ways halve the throughput.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

/** GitLab's own limit for a hook's body, in bytes. */
export const bodyLimit = 25 * 1024 * 1024

/** The whole body, `too large` as soon as that is known (nothing is read on then), or `cut off` when the sender goes away. */
export function readBody(incoming: IncomingMessage, limit = bodyLimit): Promise<Buffer | 'too large' | 'cut off'> {
  if (Number(incoming.headers['content-length']) > limit) return Promise.resolve('too large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) return void chunks.push(chunk)
      incoming.off('data', onData).pause()
      resolve('too large')
    }
    incoming
      .on('data', onData)
      .on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
      .on('error', () => resolve('cut off'))
      .on('close', () => resolve('cut off'))
  })
}

/** The text of `bytes`, or undefined when they are not UTF-8 and so could not be given back to the byte. */
export function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}
