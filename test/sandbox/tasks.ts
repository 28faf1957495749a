// What the sandbox's Phabricator knows: accounts, tasks, and each task's transactions. Plain data that a test may
// change at any moment, and the few acts that have consequences of their own.
import { randomInt } from 'node:crypto'

export type Account = {
  phid: string
  userName: string
  realName: string
  /** A bot is not subscribed by commenting; a person is. */
  bot: boolean
  disabled: boolean
}
export type Comment = { id: number; phid: string; version: number; text: string; removed: boolean; dateCreated: number }
export type Transaction = {
  id: number
  phid: string
  type: string | null
  authorPHID: string
  dateCreated: number
  dateModified: number
  groupID: string
  /** Versions of the comment, oldest first. */
  comments: Comment[]
  fields: Record<string, unknown>
}
export type Task = {
  id: number
  phid: string
  title: string
  description: string
  status: string
  /** `hidden`: the bot may not see it. `locked`: nobody may comment. `uneditable`: comments only. */
  access: 'open' | 'hidden' | 'locked' | 'uneditable'
  subscribers: string[]
  /** The PHIDs of its projects, whatever they are of. */
  projects: string[]
  dateCreated: number
  transactions: Transaction[]
}
/** `hidden`: the bot may not see it. */
export type Project = { id: number; phid: string; name: string; slug: string; hidden: boolean }

export type Maniphest = {
  mode: 'normal' | 'read-only' | 'database-down' | 'rate-limited'
  /** Error codes changed between releases, and some of the words. */
  release: '2026-08' | '2025.51'
  accounts: Account[]
  /** By token of 32 characters. */
  tokens: Map<string, { account: string; expired: boolean }>
  tasks: Task[]
  projects: Project[]
  /** Tasks that came to be through `maniphest.edit` without an identifier. Nobody ever wants one: see that it stays empty. */
  madeByMistake: Task[]
  /** The id given last: ids of transactions only grow. */
  lastTransaction: number
}

export function newManiphest(token: string): Maniphest {
  const bot = newAccount('gitlab-bot', { realName: 'GitLab Bot', bot: true })
  const tokens = new Map([[token, { account: bot.phid, expired: false }]])
  return { mode: 'normal', release: '2026-08', accounts: [bot], tokens, tasks: [], projects: [], madeByMistake: [], lastTransaction: 0 }
}

export function newAccount(userName: string, given: Partial<Account> = {}): Account {
  return { phid: newPhid('USER'), userName, realName: userName, bot: false, disabled: false, ...given }
}

export function addTask(maniphest: Maniphest, given: Partial<Task> & Pick<Task, 'title'>): Task {
  const id = Math.max(0, ...maniphest.tasks.map((task) => task.id)) + 1
  const defaults = { id, phid: newPhid('TASK'), description: '', status: 'open', access: 'open' as const, subscribers: [], projects: [] }
  const task: Task = { ...defaults, dateCreated: now(), transactions: [], ...given }
  maniphest.tasks.push(task)
  return task
}

export function addProject(maniphest: Maniphest, given: Partial<Project> & Pick<Project, 'name'>): Project {
  const slug = given.name.toLowerCase().replaceAll(/[^\p{L}\p{N}-]+/gu, '_')
  const project = { id: maniphest.projects.length + 1, phid: newPhid('PROJ'), slug, hidden: false, ...given }
  maniphest.projects.push(project)
  return project
}

export function addTransaction(
  maniphest: Maniphest,
  task: Task,
  given: Pick<Transaction, 'type' | 'authorPHID' | 'groupID'> & Partial<Transaction>,
) {
  maniphest.lastTransaction += 1
  const id = maniphest.lastTransaction
  const transaction: Transaction = {
    id,
    phid: newPhid('XACT-TASK', 15),
    dateCreated: now(),
    dateModified: now(),
    comments: [],
    fields: {},
    ...given,
  }
  task.transactions.push(transaction)
  return transaction
}

export function newComment(text: string, version = 1): Comment {
  return { id: randomInt(1, 1_000_000), phid: newPhid('XCMT'), version, text, removed: false, dateCreated: now() }
}

export function findTask(maniphest: Maniphest, id: number): Task {
  const task = maniphest.tasks.find((one) => one.id === id)
  if (!task) throw new Error(`The sandbox has no task T${id}.`)
  return task
}

/** The texts of a task's comments as they stand, oldest first. */
export function commentTexts(task: Task): string[] {
  return task.transactions.flatMap(({ comments }) => comments.slice(-1)).flatMap(({ text, removed }) => (removed ? [] : [text]))
}

export function editComment(transaction: Transaction, text: string): void {
  transaction.comments.push(newComment(text, transaction.comments.length + 1))
  transaction.dateModified = now()
}

/** A removed comment's text is gone from all its versions. */
export function removeComment(transaction: Transaction): void {
  transaction.comments.push({ ...newComment('', transaction.comments.length + 1), removed: true })
  for (const version of transaction.comments) version.text = ''
  transaction.dateModified = now()
}

export function newPhid(kind: string, length = 20): string {
  return `PHID-${kind}-${randomLetters(length)}`
}

export function randomLetters(length: number): string {
  return Array.from({ length }, () => 'abcdefghijklmnopqrstuvwxyz234567'[randomInt(32)]).join('')
}

export function now(): number {
  return Math.floor(Date.now() / 1000)
}
