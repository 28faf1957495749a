// Phabricator: Conduit at /api/<method>, and /T1 for people. Nearly every error is HTTP 200 with a code that says
// little and words that may repeat the token. Parameters are checked before the token. Nothing is idempotent: the
// same comment twice makes two. What each answer says follows Phorge, word for word.
import { authenticate, whoami } from './account.ts'
import { ConduitError, type Given, readCall } from './conduit-form.ts'
import { edit } from './maniphest-edit.ts'
import { searchTasks } from './maniphest-search.ts'
import { setupErrorPage, taskPage } from './page.ts'
import { changeProjects, searchProjects } from './projects.ts'
import { type Answer, htmlPage, json, type Received, type Remote, startRemote } from './server.ts'
import {
  type Account,
  addProject,
  addTask,
  addTransaction,
  commentTexts,
  editComment,
  findTask,
  type Maniphest,
  newAccount,
  newComment,
  newManiphest,
  type Project,
  randomLetters,
  removeComment,
  type Task,
  type Transaction,
} from './tasks.ts'
import { searchTransactions } from './transaction-search.ts'

export type Phabricator = Remote & {
  token: string
  state: Maniphest
  task(id: number): Task
  addTask(given: Partial<Task> & Pick<Task, 'title'>): Task
  /** The comments of a task as they stand, oldest first. */
  comments(id: number): string[]
  /** A comment by somebody else; the account is made if need be. Without a name it is the bot's own. */
  addComment(id: number, text: string, userName?: string): Transaction
  addProject(given: Partial<Project> & Pick<Project, 'name'>): Project
  /** The names of a task's projects. */
  projects(id: number): string[]
  /** Somebody else adds a project to a task, or removes it; the account is made if need be. */
  changeProject(id: number, operation: 'add' | 'remove', project: Project, userName: string): void
  editComment(transaction: Transaction, text: string): void
  removeComment(transaction: Transaction): void
  /** Another account, and its token. */
  addAccount(userName: string, given?: Partial<Account>): { account: Account; token: string }
}

export async function startPhabricator(port: number): Promise<Phabricator> {
  const token = newToken()
  const state = newManiphest(token)
  const remote = await startRemote({ port, handle: (request) => answer(state, request, remote.url), record })
  const addAccount: Phabricator['addAccount'] = (userName, given) => {
    const account = newAccount(userName, given)
    state.accounts.push(account)
    const fresh = newToken()
    state.tokens.set(fresh, { account: account.phid, expired: false })
    return { account, token: fresh }
  }
  const accountOf = (userName: string) => state.accounts.find((one) => userName === one.userName) ?? addAccount(userName).account
  return {
    ...remote,
    token,
    state,
    addAccount,
    addProject: (given) => addProject(state, given),
    projects: (id) => findTask(state, id).projects.map((phid) => state.projects.find((one) => one.phid === phid)?.name ?? phid),
    changeProject(id, operation, { phid }, userName) {
      changeProjects(state, findTask(state, id), [{ operation, phid }], {
        authorPHID: accountOf(userName).phid,
        groupID: randomLetters(32),
      })
    },
    editComment,
    removeComment,
    task: (id) => findTask(state, id),
    addTask: (given) => addTask(state, given),
    comments: (id) => commentTexts(findTask(state, id)),
    addComment: (id, text, userName) => {
      const { phid } = userName === undefined ? (state.accounts[0] ?? accountOf('')) : accountOf(userName)
      const given = { type: 'comment', authorPHID: phid, groupID: randomLetters(32), comments: [newComment(text)] }
      return addTransaction(state, findTask(state, id), given)
    },
  }
}

export function newToken(): string {
  return `api-${randomLetters(28)}`
}

// The parameters as JSON, however they were sent: they can be read, and the token is not among them.
function record(request: Received): { path: string; body: string } {
  const path = request.url.pathname
  try {
    return { path, body: JSON.stringify(readCall(request, path).params).replace(/\b(api|cli|clr)-[a-z2-7]{28}\b/g, '(token)') }
  } catch {
    return { path, body: '(not a Conduit call)' }
  }
}

const methods: Record<string, { parameters: string[]; anonymous?: boolean; run: (given: Given) => unknown }> = {
  'conduit.ping': { parameters: [], anonymous: true, run: () => 'phabricator' },
  'user.whoami': { parameters: [], run: whoami },
  'maniphest.edit': { parameters: ['objectIdentifier', 'transactions'], run: edit },
  'maniphest.search': { parameters: ['queryKey', 'constraints', 'attachments', 'order', 'before', 'after', 'limit'], run: searchTasks },
  'project.search': { parameters: ['queryKey', 'constraints', 'attachments', 'order', 'before', 'after', 'limit'], run: searchProjects },
  'transaction.search': {
    parameters: ['objectIdentifier', 'objectType', 'constraints', 'before', 'after', 'limit'],
    run: searchTransactions,
  },
}

function answer(state: Maniphest, request: Received, url: string): Answer | Promise<Answer> {
  if (state.mode === 'rate-limited') {
    const body = 'TOO MANY REQUESTS\nYou ("client") are issuing too many requests too quickly.\n'
    return { status: 429, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body }
  }
  if (request.body.length > 32 * 1024 * 1024) return htmlPage(413, '<html><head><title>413 Request Entity Too Large</title></head></html>')
  if (state.mode === 'database-down') return htmlPage(500, setupErrorPage)
  const page = /^\/T(\d+)$/.exec(request.url.pathname)
  if (page) return showTask(state, Number(page[1]))
  const method = /^\/api\/([^/]+)$/.exec(request.url.pathname)?.[1]
  if (!method) return htmlPage(200, '<!DOCTYPE html><html lang="en"><head><title>Authentication Failure</title></head></html>')
  try {
    return reply(call(state, request, method, url), null, null)
  } catch (error) {
    if (error instanceof ConduitError) return reply(null, error.code, error.message)
    throw error
  }
}

function call(state: Maniphest, request: Received, name: string, url: string): unknown {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (!method) throw new ConduitError('ERR-CONDUIT-CALL', `Conduit API method "${name}" does not exist.`)
  const { params, token, typed } = readCall(request, name)
  const unknown = Object.keys(params).filter((key) => !method.parameters.includes(key))
  if (unknown.length > 0) {
    const list = unknown.map((key) => `'${key}'`).join(', ')
    throw new ConduitError('ERR-CONDUIT-CALL', `API Method "${name}" does not define these parameters: ${list}.`)
  }
  if (method.anonymous) return method.run({ state, params, typed, viewer: newAccount('nobody'), url })
  return method.run({ state, params, typed, viewer: authenticate(state, token), url })
}

// Each answer of the real one sets a session cookie.
function reply(result: unknown, code: string | null, info: string | null): Answer {
  const headers = { 'Set-Cookie': `phsid=A%2F${randomLetters(20)}; path=/; HttpOnly`, 'Cache-Control': 'no-store' }
  return json(200, { result, error_code: code, error_info: info }, headers)
}

async function showTask(state: Maniphest, id: number): Promise<Answer> {
  const task = state.tasks.find((one) => one.id === id && one.access !== 'hidden')
  return task ? htmlPage(200, await taskPage(state, task)) : htmlPage(404, '<!DOCTYPE html><title>404 Not Found</title>')
}
