// Reads the little of YAML that docker-compose.yml is written in: block mappings, block lists of scalars, JSON strings
// and JSON lists, plain words and whole numbers, comments on lines of their own. Anything else is refused, so what is
// accepted here every YAML reader understands alike.

export type Yaml = string | number | null | Yaml[] | { [key: string]: Yaml }

type Line = { number: number; indent: number; text: string }

/** What is written in `text`. Throws with the number of a line that it does not understand. */
export function readYaml(text: string): Yaml {
  const lines = text
    .split('\n')
    .map((line, index) => ({ number: index + 1, indent: line.search(/[^ ]|$/), text: line.replace(/^ +| +$/g, '') }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'))
  const tab = lines.find((line) => line.text.includes('\t'))
  if (tab) refuse(tab, 'a tab')
  const value = block(lines, 0)
  const [rest] = lines
  if (rest) refuse(rest, 'wrong indentation')
  return value
}

function block(lines: Line[], indent: number): Yaml {
  return lines[0]?.text.startsWith('- ') ? list(lines, indent) : mapping(lines, indent)
}

function list(lines: Line[], indent: number): Yaml[] {
  const items: Yaml[] = []
  while (lines[0]?.indent === indent) {
    const line = lines.shift()
    const item = /^- (.+)$/.exec(line?.text ?? '')?.[1]
    if (!line || item === undefined) return refuse(line, 'expected an item')
    items.push(scalar(line, item))
  }
  return items
}

function mapping(lines: Line[], indent: number): { [key: string]: Yaml } {
  const result: { [key: string]: Yaml } = {}
  while (lines[0]?.indent === indent) {
    const line = lines.shift()
    const [, key, value] = /^([\w-]+):(?: (.+))?$/.exec(line?.text ?? '') ?? []
    if (!line || key === undefined) return refuse(line, 'expected a key')
    if (key in result) refuse(line, `${key} stands there twice`)
    result[key] = value === undefined ? nested(lines, indent) : scalar(line, value)
  }
  return result
}

function nested(lines: Line[], indent: number): Yaml {
  const next = lines[0]?.indent ?? 0
  return next > indent ? block(lines, next) : null
}

// These words are strings to some readers of YAML and truth values or nothing to others.
const ambiguous = /^(y|n|yes|no|true|false|on|off|null|~)$/i
const plain = /^[\w./](?:(?!: | #)[^"'[\]{}&*!|>%@`,])*$/

function scalar(line: Line, text: string): Yaml {
  if (text.startsWith('"') || text.startsWith('[')) return JSON.parse(text)
  if (/^(0|[1-9]\d*)$/.test(text)) return Number(text)
  if (ambiguous.test(text) || !plain.test(text) || text.endsWith(':')) refuse(line, 'quote this')
  return text
}

function refuse(line: Line | undefined, reason: string): never {
  throw new SyntaxError(`Line ${line?.number ?? 'last'}: ${reason}: ${line?.text ?? ''}`)
}
