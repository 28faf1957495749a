// The file tree of the image, made by the Dockerfile's own steps in a temporary directory: what it copies is copied,
// npm is run as it says. Users, and programs other than npm, have no part in it.
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { readCommand, readCopy, readDockerfile, root, type Stage } from './files.ts'

const run = promisify(execFile)

export type Tree = { directory: string; workdir: string; command: string[]; environment: Record<string, string> }

/** Builds the last stage and all it needs below a new directory, which is the caller's to remove. */
export async function buildTree(): Promise<Tree> {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-image-'))
  const built = new Map<string, string>()
  let tree: Tree = { directory, workdir: directory, command: [], environment: {} }
  for (const [index, stage] of readDockerfile().entries()) {
    const name = stage.name ?? String(index)
    built.set(name, join(directory, name))
    tree = await buildStage(stage, tree.directory, built, join(directory, name))
  }
  return tree
}

async function buildStage(stage: Stage, directory: string, built: Map<string, string>, own: string): Promise<Tree> {
  const tree: Tree = { directory, workdir: own, command: [], environment: {} }
  for (const { word, rest } of stage.instructions) {
    if (word === 'WORKDIR') tree.workdir = join(own, rest)
    const [, variable, value = ''] = /^(\w+)="?(.*?)"?$/.exec(rest) ?? []
    if ((word === 'ENV' || word === 'ARG') && variable !== undefined) tree.environment[variable] = value
    if (word === 'CMD') tree.command = readCommand(rest)
    if (word === 'RUN' && rest.startsWith('npm '))
      await run('npm', withValues(rest, tree).split(' ').slice(1), { cwd: tree.workdir, env: { ...process.env, NODE_USE_SYSTEM_CA: '1' } })
    if (word === 'COPY') await copy(rest, tree.workdir, built)
    await mkdir(tree.workdir, { recursive: true })
  }
  return tree
}

function withValues(text: string, { environment }: Tree): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => environment[name] ?? '')
}

async function copy(rest: string, workdir: string, built: Map<string, string>): Promise<void> {
  const { from, sources, target } = readCopy(rest)
  const origin = from === undefined ? root : built.get(from)
  if (origin === undefined) throw new Error(`There is no stage ${from} to copy from.`)
  for (const source of sources) {
    const to = target.endsWith('/') ? join(workdir, target, source) : resolve(workdir, target)
    await mkdir(dirname(to), { recursive: true })
    await cp(join(origin, source), to, { recursive: true, verbatimSymlinks: true })
  }
}
