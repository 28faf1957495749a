// maniphest.edit: comments on a task and its projects, all transactions of a call or none. DANGER, as with the real one: an identifier
// that is empty, null, 0 or absent means "create a task". Only the missing title stops it, and with a title a task is
// really made; the sandbox keeps a list of those.
import { z } from 'zod'
import { ConduitError, type Given } from './conduit-form.ts'
import { changeProjects, projectChanges } from './projects.ts'
import { effectsOf } from './remarkup.ts'
import { addTask, addTransaction, type Maniphest, newComment, randomLetters, type Task, type Transaction } from './tasks.ts'

type Wanted = { type: string; value: unknown }

export function edit(given: Given) {
  const { state, params } = given
  const existing = findObject(given, params.objectIdentifier)
  const wanted = readTransactions(params.transactions, given)
  const title = wanted.find(({ type }) => type === 'title')?.value
  if (!existing && (typeof title !== 'string' || title.trim() === '')) throw core('Validation errors:\n  - Tasks must have a title.')
  const effective = wanted.filter(({ type, value }) => !(type === 'comment' && String(value).trim() === ''))
  if (existing) mayChange(existing, effective)
  const beyond = effective.find(({ type }) => !texts.includes(type) && !ofProjects.includes(type))
  if (beyond) throw core(`The sandbox does not carry out transactions of type "${beyond.type}".`)
  if (effective.length > 0 && state.mode === 'read-only') throw core(readOnly)
  const task = existing ?? addTask(state, { title: String(title) })
  if (!existing) state.madeByMistake.push(task)
  // Comments come last, whatever the order asked for. What cannot be read is found before anything is done.
  const ordered = effective.toSorted((a, b) => Number(a.type === 'comment') - Number(b.type === 'comment'))
  for (const { type, value } of ordered) if (ofProjects.includes(type)) projectChanges(state, task, type, value)
  const made = apply(given, task, ordered)
  return { object: { id: task.id, phid: task.phid }, transactions: made.map(({ phid }) => ({ phid })) }
}

function core(words: string): ConduitError {
  return new ConduitError('ERR-CONDUIT-CORE', words)
}

function findObject({ state }: Given, identifier: unknown): Task | undefined {
  if (identifier === undefined || identifier === null || identifier === '' || identifier === 0) return undefined
  if (typeof identifier !== 'string' && typeof identifier !== 'number') {
    const kind = Array.isArray(identifier) ? 'list<string>' : typeof identifier
    throw core(`Call to phutil_nonempty_string() expected null or a string, got: ${kind}.`)
  }
  const text = String(identifier)
  const number = /^\d+$/.test(text)
  if (!number && !text.startsWith('PHID-')) return byMonogram(state, text)
  const task = state.tasks.find(({ id, phid }) => (number ? id === Number(text) : phid === text))
  if (!task) throw core(`No object exists with ${number ? 'ID' : 'PHID'} "${text}".`)
  if (task.access === 'hidden')
    throw core(`[You Shall Not Pass: Restricted Maniphest Task] (Can View) You do not have permission to view this object. ${custom}`)
  return task
}

function byMonogram(state: Maniphest, monogram: string): Task {
  const number = /^T(\d+)$/i.exec(monogram)?.[1]
  const task = state.tasks.find(({ id, access }) => String(id) === number?.replace(/^0+/, '') && access !== 'hidden')
  if (task) return task
  if (state.accounts.some(({ userName }) => monogram === `@${userName}`)) {
    throw core(
      `Monogram "${monogram}" identifies an object of the wrong type. Loaded object has class "PhabricatorUser", but this editor operates on objects of type "ManiphestTask".`,
    )
  }
  throw core(`Monogram "${monogram}" does not identify a valid object.`)
}

const dictionary = z.record(z.string(), z.unknown())

function readTransactions(value: unknown, { typed }: Given): Wanted[] {
  const map = Array.isArray(value) ? Object.fromEntries(value.entries()) : value
  const parsed = dictionary.safeParse(map)
  if (!parsed.success) throw core('Parameter "transactions" is not a list of transactions.')
  return Object.entries(parsed.data).map(([key, item]) => {
    const one = dictionary.safeParse(item)
    const place = `Parameter "transactions" must contain a list of transaction descriptions, but item with key "${key}" is`
    if (!one.success) throw core(`${place} not a dictionary.`)
    for (const field of ['type', 'value']) {
      if (!Object.hasOwn(one.data, field)) throw core(`${place} missing a "${field}" field. Each transaction must have a ${field} field.`)
    }
    const type = String(one.data.type)
    if (!known.includes(type)) {
      throw core(
        `Transaction with key "${key}" has invalid type "${type}". This type is not recognized. Valid types are: ${known.join(', ')}.`,
      )
    }
    if (typed && texts.includes(type) && typeof one.data.value !== 'string') {
      throw core(
        `Exception when processing transaction of type "${type}": Error while reading "value": Expected string, got something else.`,
      )
    }
    return { type, value: one.data.value }
  })
}

function mayChange(task: Task, wanted: Wanted[]): void {
  if (wanted.length === 0) return
  const locked = '(Can Interact) You do not have permission to interact with this object. // By default, no one can take this action.'
  if (task.access === 'locked') throw core(`[You Shall Not Pass: T${task.id}] ${locked}`)
  if (task.access === 'uneditable' && wanted.some(({ type }) => type !== 'comment')) {
    throw core(`[You Shall Not Pass: T${task.id}] (Can Edit) You do not have permission to edit this object. ${custom}`)
  }
}

function apply({ state, viewer }: Given, task: Task, wanted: Wanted[]): Transaction[] {
  const by = { authorPHID: viewer.phid, groupID: randomLetters(32) }
  const subscribe = (phid: string) => {
    if (task.subscribers.includes(phid)) return []
    task.subscribers.push(phid)
    return [addTransaction(state, task, { ...by, type: 'subscribers', fields: { operations: [{ operation: 'add', phid }] } })]
  }
  const made = wanted.flatMap(({ type, value }) => {
    if (ofProjects.includes(type)) return changeProjects(state, task, projectChanges(state, task, type, value), by)
    const text = String(value)
    if (type === 'comment') {
      const { people, tasks } = effectsOf(text)
      for (const mention of state.tasks.filter(({ id, access }) => tasks.includes(id) && id !== task.id && access !== 'hidden')) {
        addTransaction(state, mention, { ...by, type: null })
      }
      const mentioned = state.accounts.filter(({ userName }) => people.includes(userName)).flatMap(({ phid }) => subscribe(phid))
      return [...mentioned, addTransaction(state, task, { ...by, type, comments: [newComment(text)] })]
    }
    const old = type === 'title' ? task.title : type === 'status' ? task.status : task.description
    if (type === 'title') task.title = text
    else if (type === 'status') task.status = text
    else task.description = text
    return old === text ? [] : [addTransaction(state, task, { ...by, type, fields: { old, new: text } })]
  })
  return viewer.bot ? made : [...subscribe(viewer.phid), ...made]
}

const custom =
  '// This object has a custom policy controlling who can take this action. The assignee of a task can always view and edit it.'
const readOnly =
  'Unable to establish a write-mode connection (to application database "phabricator_maniphest") because this server is in read-only mode. Whatever you are trying to do does not function correctly in read-only mode.'
const ofProjects = ['projects.add', 'projects.remove', 'projects.set']
const texts = ['title', 'status', 'description', 'comment']
const known =
  'parent, column, space, title, owner, status, priority, description, parents.add, parents.remove, parents.set, subtasks.add, subtasks.remove, subtasks.set, commits.add, commits.remove, commits.set, view, edit, projects.add, projects.remove, projects.set, subscribers.add, subscribers.remove, subscribers.set, subtype, comment, mfa'.split(
    ', ',
  )
