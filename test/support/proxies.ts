// nginx and HAProxy as they come, without a word about streams in their configuration, in front of a server on loopback.
import { existsSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { letGo, onLeash } from './leashed.ts'
import { freePort } from './servers.ts'
import { until } from './until.ts'

export type Proxy = { port: number; stop: () => Promise<void> }
export const proxyNames = ['nginx', 'haproxy'] as const
export type ProxyName = (typeof proxyNames)[number]

/** The reason to skip a test where `command` is not installed. */
export function skipWithout(command: string): string | false {
  const isThere = (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, command)))
  return isThere ? false : `there is no ${command}; bin/setup ${command} installs it`
}

/** Starts the proxy in front of `target`, a port. */
export async function startProxy(name: ProxyName, target: number): Promise<Proxy> {
  const directory = await mkdtemp(join(tmpdir(), `gitlab-webhooks-${name}-`))
  const port = await freePort()
  const file = join(directory, 'configuration')
  await writeFile(file, configurations[name](directory, port, target))
  const error = join(directory, 'error.log')
  const args = name === 'nginx' ? ['-p', directory, '-c', file, '-e', error] : ['-db', '-f', file]
  const child = onLeash(name, args, { directory })
  await until(async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok, `${name} answers`)
  return { port, stop: () => letGo(child) }
}

const configurations: Record<ProxyName, (directory: string, port: number, target: number) => string> = {
  nginx: (directory, port, target) => `daemon off;
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
    location / { proxy_pass http://127.0.0.1:${target}; }
  }
}
`,
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
