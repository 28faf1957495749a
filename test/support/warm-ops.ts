// `bin/ops` in a process that stays: what is typed comes as a message, and the command line's own program is run anew for
// it, over modules that are loaded already. Loading them takes ten times as long as most commands.
import { z } from 'zod'

const typedSchema = z.object({ args: z.array(z.string()), env: z.record(z.string(), z.string()) })
const program = new URL('../../apps/ops/cli.ts', import.meta.url)
const exit = process.exit.bind(process)

const said = { out: '', err: '' }
process.stdout.write = (chunk: string | Uint8Array) => take('out', chunk)
process.stderr.write = (chunk: string | Uint8Array) => take('err', chunk)
process.setMaxListeners(0) // each command waits for its signals

function take(stream: keyof typeof said, chunk: string | Uint8Array): true {
  said[stream] += String(chunk)
  return true
}

// The last act of the program. With a code it gives up in the middle: then nothing of it may go on.
process.exit = (code) => {
  if (code === undefined) return undefined as never
  process.send?.({ code: Number(code), ...said, goesOn: false }, () => exit())
  delete process.send
  throw new Error('It has ended.')
}

async function run({ args, env }: z.output<typeof typedSchema>): Promise<void> {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  process.argv = [process.execPath, program.pathname, ...args]
  process.exitCode = undefined
  Object.assign(said, { out: '', err: '' })
  await import(`${program.href}?${performance.now()}`)
  process.send?.({ code: Number(process.exitCode ?? 0), ...said, goesOn: true })
}

process.on('disconnect', () => exit())
process.on('message', (message) => void run(typedSchema.parse(message)))
