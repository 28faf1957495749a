// nginx and HAProxy as they come, without a word about streams in their configuration, in front of a server on loopback.
import { existsSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { letGo, onLeash } from './leashed.ts'
import { freePort } from './ports.ts'
import { until } from './until.ts'

export type Proxy = { port: number; stop: () => Promise<void> }
export const proxyNames = ['nginx', 'nginx with HTTP/1.1', 'haproxy'] as const
export type ProxyName = (typeof proxyNames)[number]

/** The reason to skip a test where `command` is not installed. */
export function skipWithout(name: string): string | false {
  const command = commandOf(name)
  const isThere = (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, command)))
  return isThere ? false : `there is no ${command}; bin/setup ${command} installs it`
}

function commandOf(name: string): string {
  return name.replace(/ .*/, '')
}

/** Starts the proxy in front of `target`, a port. */
export async function startProxy(name: ProxyName, target: number): Promise<Proxy> {
  const directory = await mkdtemp(join(tmpdir(), `gitlab-webhooks-proxy-`))
  const port = await freePort()
  const file = join(directory, 'configuration')
  await writeFile(file, configurations[name](directory, port, target))
  const error = join(directory, 'error.log')
  const args = name === 'haproxy' ? ['-db', '-f', file] : ['-p', directory, '-c', file, '-e', error]
  const child = onLeash(commandOf(name), args, { directory })
  await until(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok, `${name} answers`)
  return { port, stop: () => letGo(child) }
}

const nginx = (directory: string, port: number, target: number, more = '') => `daemon off;
master_process off;
pid ${directory}/pid;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://127.0.0.1:${target}; ${more} }
  }
}
`

// Before 1.29.7 it asks in HTTP/1.0 unless it is told otherwise.
const configurations: Record<ProxyName, (directory: string, port: number, target: number) => string> = {
  nginx,
  'nginx with HTTP/1.1': (...given) => nginx(...given, 'proxy_http_version 1.1;'),
  haproxy: (_directory, port, target) => `defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
listen feed
  bind 127.0.0.1:${port}
  server ingest 127.0.0.1:${target}
`,
}
