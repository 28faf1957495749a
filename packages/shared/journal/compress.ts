// How bodies are compressed for the journal. A small one takes less time than handing it to another thread, for which all
// deliveries would wait. All small ones go through one compressor: Node's `gzipSync` makes one for each body, with 16 KiB
// outside of the heap, which lives until the next major collection and brings that about.
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { Gunzip, Gzip } from 'minizlib'

const largeBody = 64 * 1024
const compressor = new Gzip({})
let uncompressor = new Gunzip({})
const compressAside = promisify(gzip)

/** `body` as gzip (RFC 1952). */
export async function compress(body: string): Promise<Buffer> {
  return body.length > largeBody ? await compressAside(body) : compressSmall(body)
}

function compressSmall(body: string): Buffer {
  compressor.write(body)
  compressor.flush(constants.Z_FINISH)
  const compressed = compressor.read()
  compressor.reset()
  if (!compressed) throw new Error('The compressor gave nothing.')
  return compressed
}

/** A small one as it was. Throws when it cannot be read. */
export function uncompressSmall(compressed: Buffer): Buffer {
  try {
    uncompressor.write(compressed)
    uncompressor.flush(constants.Z_FINISH)
    const whole = uncompressor.read()
    uncompressor.reset()
    return whole ?? Buffer.alloc(0)
  } catch (error) {
    // It does nothing more after a mistake.
    uncompressor = new Gunzip({})
    throw error
  }
}
