// Compresses an answer piece by piece, with nothing kept in between but a checksum: each piece is compressed by itself and ends on
// a whole byte, so that all of them, one behind another, are one stream (RFC 1951, RFC 1952). A compressor for each reader would
// take a quarter of a megabyte.
import { constants, crc32, deflateRawSync } from 'node:zlib'

export type Gzip = {
  /** `bytes` as the next part of the stream. */
  pack: (bytes: Buffer | string) => Buffer
  /** The end of the stream. */
  end: () => Buffer
}

const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
const lastBlock = [3, 0]
const options = { level: 1, finishFlush: constants.Z_SYNC_FLUSH }

export function openGzip(): Gzip {
  let isBegun = false
  let sum = 0
  let size = 0

  function begin(): Buffer {
    const bytes = isBegun ? Buffer.alloc(0) : header
    isBegun = true
    return bytes
  }

  return {
    pack(bytes) {
      sum = crc32(bytes, sum)
      size += Buffer.byteLength(bytes)
      return Buffer.concat([begin(), deflateRawSync(bytes, options)])
    },
    end() {
      const trailer = Buffer.alloc(8)
      trailer.writeUInt32LE(sum, 0)
      trailer.writeUInt32LE(size % 2 ** 32, 4)
      return Buffer.concat([begin(), Buffer.from(lastBlock), trailer])
    },
  }
}
