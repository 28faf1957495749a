// Who may not install anything has what the project needs all the same: unpacked into the checkout.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = new URL('../../', import.meta.url).pathname
const checkout = mkdtempSync(join(tmpdir(), 'gitlab-webhooks-unpack-'))
after(() => rmSync(checkout, { recursive: true }))
const skip = ['apt-get', 'dpkg'].some((command) => spawnSync(command, ['--version']).error) && 'no apt-get and dpkg here'

test('packages are fetched and unpacked without any right to install, and their commands run from there', { skip }, (context) => {
  cpSync(`${root}bin/unpack`, join(checkout, 'bin/unpack'))
  const { status, stderr } = spawnSync(join(checkout, 'bin/unpack'), ['redis-server', 'redis-tools'], { encoding: 'utf8' })
  if (/Could not resolve|Temporary failure resolving|Could not connect|Connection (failed|timed out)/.test(stderr))
    return context.skip('the archive of the distribution cannot be reached from here')
  assert.equal(status, 0, stderr)
  for (const command of ['redis-server', 'redis-cli'])
    assert.match(execFileSync(join(checkout, '.node/bin', command), ['--version'], { encoding: 'utf8' }), /\d+\.\d+\.\d+/)
})
