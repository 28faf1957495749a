// One `Gitlab-mention` of the reviewers page, understood: whom it names and which changes it is about. What cannot be
// understood names nobody and says why, so that a slip of the pen never mentions somebody on every merge request.
import { childOf, type Element, flatten } from './tree.ts'

/** A person and the changes to mention them on, and where on the page that stands. Without a `fileRegexp` any file will do. */
export type ReviewerEntry = { line: number; username: string; fileRegexp?: string; matchAllFiles: boolean; onlyMatchNewFiles: boolean }

/** What one template says: an entry unless it is unusable, what is wrong with it, and the name it gives (for a report). */
export type Reading = { entry?: ReviewerEntry; name?: string; reasons: string[] }

type Parameters = Map<string, string | undefined>

const userNameShape = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/
const positional = /^[1-9]\d*$/
const flags = ['match_all_files', 'only_match_new_files']
const negatives = ['', 'no', '0', 'false']
const expansion = 'comes from a template, a parameter or a tag, which cannot be expanded here'

/** Reads a template; `undefined` if it is another template than `Gitlab-mention`. Never throws. */
export function readEntry(template: Element): Reading | undefined {
  if (!isMention(flatten(childOf(template, 'title')))) return undefined
  const parameters = readParameters(template)
  const person = parameters.get('1')?.replace(/^@/, '')
  const faults = [faultOfPerson(parameters, person), ...unknownValues(parameters)].filter((fault) => fault !== undefined)
  const warnings = [...parameters].flatMap(([name, value]) => warningAbout(name, value) ?? [])
  const reading = { ...(person && { name: person }), reasons: [...faults, ...warnings] }
  if (faults.length > 0 || person === undefined) return reading
  const fileRegexp = parameters.get('file_regexp')
  return {
    ...reading,
    entry: {
      line: template.line,
      username: person,
      ...(fileRegexp && { fileRegexp }),
      matchAllFiles: isSet(parameters, 'match_all_files'),
      onlyMatchNewFiles: isSet(parameters, 'only_match_new_files'),
    },
  }
}

// `{{:Gitlab-mention}}` is a page of the main namespace, and `{{GITLAB-MENTION}}` another template.
function isMention(title: string | undefined): boolean {
  const folded = (title ?? '').replaceAll(/[\s_]+/g, ' ').trim()
  return /^[Gg]itlab-mention$/.test(folded.replace(/^template ?: ?/i, ''))
}

// Of parameters given twice the last wins, as in MediaWiki. Names of flags are read in any case, like their values.
function readParameters(template: Element): Parameters {
  const parameters: Parameters = new Map()
  for (const part of template.children) {
    if (typeof part === 'string' || part.name !== 'part') continue
    const name = childOf(part, 'name')
    const key = name?.index ?? flatten(name)?.trim().toLowerCase()
    parameters.set(key ?? '{{…}}', flatten(childOf(part, 'value'))?.trim())
  }
  return parameters
}

function faultOfPerson(parameters: Parameters, person: string | undefined): string | undefined {
  if (parameters.has('1') && person === undefined) return `its user name ${expansion}`
  if (!person || flags.includes(person.toLowerCase())) return 'it names nobody'
  if (!userNameShape.test(person) || person.toLowerCase() === 'all') return 'what it names is not a GitLab user name'
  return undefined
}

function unknownValues(parameters: Parameters): string[] {
  return [...parameters]
    .filter(([name, value]) => value === undefined && name !== '1' && isRead(name))
    .map(([name]) => `the value of ${positional.test(name) ? `parameter ${name}` : name} ${expansion}`)
}

function isRead(name: string): boolean {
  return positional.test(name) || name === 'file_regexp' || flags.includes(name)
}

function warningAbout(name: string, value: string | undefined): string | undefined {
  if (name === 'every') return 'every= is ignored: this reader mentions people on each merge request'
  if (!isRead(name)) return `the parameter "${clip(name)}" is not known and ignored`
  if (name === '1' || !positional.test(name) || !value || flags.includes(value.toLowerCase())) return undefined
  return `the value "${clip(value)}" has no meaning and is ignored; a pipe in file_regexp needs <nowiki> around it`
}

function isSet(parameters: Parameters, flag: string): boolean {
  const named = parameters.get(flag)
  if (named !== undefined && !negatives.includes(named.toLowerCase())) return true
  return [...parameters].some(([name, value]) => name !== '1' && positional.test(name) && value?.toLowerCase() === flag)
}

/** Foreign text, short enough for a report. */
export function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
