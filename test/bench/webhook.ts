// Debian's webhook (github.com/adnanh/webhook), which runs a command for each request. It reads and understands the body,
// asks its rule, and answers 202; the command is not run, since it runs after the answer, and what has piled up by the end
// of a round would go on through the rounds of the others.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { letGo, onLeash } from '../support/leashed.ts'
import { freePort } from '../support/ports.ts'
import { until } from '../support/until.ts'
import { type Contestant, contestant } from './contestants.ts'
import { cpuOf } from './processes.ts'

const hook = {
  id: 'hooks',
  'execute-command': '/bin/true',
  'http-methods': ['POST'],
  'trigger-rule': { match: { type: 'value', value: 'nobody sends this', parameter: { source: 'payload', name: 'project.name' } } },
  'trigger-rule-mismatch-http-response-code': 202,
}

/** Undefined where the command is missing. */
export async function debianWebhook(): Promise<Contestant | undefined> {
  if (!isInstalled()) return undefined
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-webhook-'))
  const [hooks, pidfile] = [join(directory, 'hooks.json'), join(directory, 'pid')]
  await writeFile(hooks, JSON.stringify([hook]))
  const port = await freePort()
  const place = ['-ip', '127.0.0.1', '-port', String(port), '-urlprefix', '', '-pidfile', pidfile]
  const child = onLeash('webhook', ['-hooks', hooks, ...place], { directory })
  child.stdout.resume()
  child.stderr.resume()
  await until(async () => (await fetch(`http://127.0.0.1:${port}/`)).ok, 'webhook answers')
  const pid = Number(await readFile(pidfile, 'utf8'))
  return contestant({ name: 'webhook', port, stop: () => letGo(child), cpu: async () => (await cpuOf(pid)) * 1000 })
}

function isInstalled(): boolean {
  try {
    execFileSync('webhook', ['-version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
