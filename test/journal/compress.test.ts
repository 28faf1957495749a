// One compressor serves all small bodies, one after another: nothing of one may be left in the next.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compress, uncompressSmall } from '#shared/journal/compress.ts'

const unit = fc.constantFrom<'grapheme' | 'binary'>('grapheme', 'binary')
const body = unit.chain((unit) => fc.string({ unit, size: 'max', maxLength: 5_000 })).map((text) => text.toWellFormed())

test('every body comes back as it was, small or large, whichever came before it', async () => {
  const come = async (bodies: string[]) => {
    const compressed = []
    for (const text of bodies) compressed.push(await compress(text))
    assert.deepEqual(
      compressed.map((bytes) => gunzipSync(bytes).toString()),
      bodies,
    )
    assert.throws(() => uncompressSmall(Buffer.from('no gzip')))
    assert.deepEqual(
      compressed.map((bytes) => uncompressSmall(bytes).toString()),
      bodies,
    )
  }
  await come(['', '{}', 'a'.repeat(65_536), '\u{1f980}'.repeat(32_768), 'a'.repeat(65_537), 'b'])
  await fc.assert(fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 5 }), come), { numRuns: 30 })
})
