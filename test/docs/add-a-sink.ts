// The sink that docs/add-a-sink.md shows, built in a copy of the tree from the blocks of that page and from nothing else.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readDocument, root } from './documents.ts'

const page = 'docs/add-a-sink.md'

/** The files that the page shows, and what it changes in others, by their paths. */
export function shown(): Array<{ path: string; form: string; text: string }> {
  const blocks = readDocument(page).matchAll(/^(?:In )?`([\w./-]+)`:\n\n```(ts|diff)\n(.*?)^```$/gms)
  return [...blocks].map(([, path = '', form = '', text = '']) => ({ path, form, text }))
}

/** A copy of the tree with the sink in it. */
export function buildSink(): string {
  const copy = mkdtempSync(join(tmpdir(), 'gitlab-webhooks-sink-'))
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  for (const file of files.split('\n').filter((name) => name !== '' && existsSync(join(root, name)))) {
    cpSync(join(root, file), join(copy, file))
  }
  for (const name of ['node_modules', '.node', '.servers'])
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(copy, name))
  for (const { path, form, text } of shown()) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), form === 'ts' ? text : changed(readFileSync(join(copy, path), 'utf8'), text))
  }
  return copy
}

// A line to take away stands before the one in its place; one alone is an import, before the others.
function changed(file: string, diff: string): string {
  const lines = file.split('\n')
  let taken: number | undefined
  for (const line of diff.trim().split('\n')) {
    const at = lines.indexOf(line.slice(1))
    if (line.startsWith('-') && at < 0) throw new Error(`There is no line ${line.slice(1)}`)
    if (line.startsWith('-')) taken = at
    else lines.splice(taken ?? lines.findIndex((one) => one.startsWith('import ')), taken === undefined ? 0 : 1, line.slice(1))
    if (line.startsWith('+')) taken = undefined
  }
  return lines.join('\n')
}
