// GitLab, Phabricator and the wiki on loopback, so that the whole service can be seen and tested on one machine
// without touching anybody's. Each has its own port, its own state and its own faults; one more page shows what all
// three received.

import { type Phabricator, startPhabricator } from './conduit.ts'
import { type GitLab, startGitLab } from './gitlab.ts'
import { overviewPage } from './page.ts'
import { htmlPage, startRemote } from './server.ts'
import { startWiki, type Wiki } from './wiki.ts'

export type Sandbox = {
  /** The overview page. */
  url: string
  gitlab: GitLab
  phabricator: Phabricator
  wiki: Wiki
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** With a `port` the overview is there and the remotes are on the three ports after it; else all four are free ones. */
export async function startSandbox({ port = 0 }: { port?: number } = {}): Promise<Sandbox> {
  await using started = new AsyncDisposableStack()
  const start = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> =>
    started.adopt(await starting, (one) => one.close())
  const at = (offset: number) => (port === 0 ? 0 : port + offset)

  const gitlab = await start(startGitLab(at(1)))
  const phabricator = await start(startPhabricator(at(2)))
  const wiki = await start(startWiki(at(3)))
  const overview = await start(
    startRemote({
      port: at(0),
      record: ({ url }) => ({ path: url.pathname, body: '' }),
      handle: async () => htmlPage(200, await overviewPage(linked({ gitlab, phabricator, wiki }))),
    }),
  )
  const running = started.move()
  const close = () => running.disposeAsync()
  return { url: overview.url, gitlab, phabricator, wiki, close, [Symbol.asyncDispose]: close }
}

function linked({ gitlab, phabricator, wiki }: Pick<Sandbox, 'gitlab' | 'phabricator' | 'wiki'>) {
  const merges = gitlab.state.projects.flatMap(({ path, mergeRequests }) =>
    mergeRequests.map(({ iid }) => `/${path}/-/merge_requests/${iid}`),
  )
  const tasks = phabricator.state.tasks.filter(({ access }) => access !== 'hidden').map(({ id }) => `/T${id}`)
  const pages = [...wiki.state.pages.keys()].map((title) => `/w/index.php?title=${encodeURIComponent(title)}`)
  return { gitlab: { ...gitlab, links: merges }, phabricator: { ...phabricator, links: tasks }, wiki: { ...wiki, links: pages } }
}
