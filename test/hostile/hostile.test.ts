import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInTime } from '../support/wait.ts'
import { besiege } from './siege.ts'

test('under all attacks at once nothing ends or grows, real deliveries are answered in time, and each is commented on once', async () => {
  const { accepted, waits, peakMegabytes, ended, missing, doubled } = await besiege({ attackers: 100, seconds: 5, rate: 4 })
  assert.deepEqual({ accepted, ended, missing, doubled }, { accepted: 20, ended: [], missing: 0, doubled: 0 })
  for (const wait of waits) assert.ok(isInTime(wait), JSON.stringify(wait))
  for (const megabytes of peakMegabytes) assert.ok(megabytes < 512, `${megabytes} MiB`)
})
