// Those who carry messages to many readers: the service's ingest, two baselines over the same Redis, and nginx with
// nchan where that is installed, which is given its messages by HTTP.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { openRelay } from '#shared/queue/relay.ts'
import { letGo, onLeash } from '../support/leashed.ts'
import { freePort } from '../support/ports.ts'
import { sourceToken, startReady } from '../support/service.ts'
import { until } from '../support/until.ts'
import { startProgram } from './programs.ts'

export type Contestant = {
  name: string
  port: number
  path: string
  pids: number[]
  publish: (message: string) => Promise<unknown>
  stop: () => Promise<unknown>
}

type Place = { url: string; redis: Redis }

export async function service({ url, redis }: Place, flags: string[] = []): Promise<Contestant> {
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-bench-'))
  const prefix = 'bench-service'
  const environment = {
    SOURCE_TOKEN: sourceToken,
    HOST: '127.0.0.1',
    PORT: '0',
    REDIS_URL: url,
    REDIS_PREFIX: prefix,
    SPOOL_DIR: directory,
    FEED_CONNECTIONS_PER_ADDRESS: '10000',
  }
  const ingest = await startReady('ingest', environment, flags)
  const stop = async () => {
    await ingest.kill()
    await rm(directory, { recursive: true })
  }
  return { name: 'the service', port: ingest.port(), path: '/sse/', pids: [ingest.pid()], publish: publisher(redis, prefix), stop }
}

export async function nodeHttp({ url, redis }: Place, writes: 'each' | 'joined', flags: string[] = []): Promise<Contestant> {
  const prefix = `bench-${writes}`
  const environment = { REDIS_URL: url, REDIS_PREFIX: prefix, WRITES: writes }
  const { pid, port, stop } = await startProgram('feed-baseline', environment, flags)
  return { name: `node:http, ${writes}`, path: '/', publish: publisher(redis, prefix), port, pids: [pid], stop }
}

function publisher(redis: Redis, prefix: string): Contestant['publish'] {
  const relay = openRelay({ redis, prefix })
  let count = 0
  return (message) => relay.publish(`message-${count++}`, message)
}

const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so'

/** nchan with so many workers; nothing where nginx or its module is missing. */
export async function nchan(workers: number): Promise<Contestant[]> {
  if (!existsSync(nchanModule) || !hasNginx()) return []
  const directory = await mkdtemp(join(tmpdir(), 'gitlab-webhooks-nchan-'))
  const port = await freePort()
  await writeFile(join(directory, 'nginx.conf'), nginxConfiguration({ directory, port, workers }))
  const child = onLeash('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log')], { directory })
  const url = `http://127.0.0.1:${port}/publish`
  const publish = async (message: string) => await (await fetch(url, { method: 'POST', body: message })).arrayBuffer()
  await until(async () => await publish('{}'), 'nginx answers')
  const name = workers === 1 ? 'nchan' : `nchan, ${workers} workers`
  return [{ name, port, path: '/read', pids: await pidsOf(directory), publish, stop: () => letGo(child) }]
}

function hasNginx(): boolean {
  try {
    execFileSync('nginx', ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function nginxConfiguration({ directory, port, workers }: { directory: string; port: number; workers: number }): string {
  const user = process.getuid?.() === 0 ? 'user root root;' : '' // its workers need the directory
  return `${user}
load_module ${nchanModule};
daemon off;
master_process ${workers === 1 ? 'off' : 'on'};
worker_processes ${workers};
pid ${directory}/pid;
events { worker_connections 16384; }
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi; uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port};
    location = /publish { nchan_publisher; nchan_channel_id feed; nchan_message_buffer_length 2000; }
    location = /read { nchan_subscriber eventsource; nchan_channel_id feed; nchan_subscriber_first_message newest; }
  }
}
`
}

// The only process, or the master and its workers.
async function pidsOf(directory: string): Promise<number[]> {
  const first = (await readFile(join(directory, 'pid'), 'utf8')).trim()
  const children = await readFile(`/proc/${first}/task/${first}/children`, 'utf8')
  return [first, ...children.trim().split(' ')].filter((pid) => pid !== '').map(Number)
}
