// The page's own style, script and icon, read once. Nothing comes from anywhere else.
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'

const types = { 'style.css': 'text/css; charset=utf-8', 'live.js': 'text/javascript; charset=utf-8', 'icon.svg': 'image/svg+xml' }

export function assets(): Hono {
  const app = new Hono()
  for (const [name, type] of Object.entries(types)) {
    const content = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8')
    app.get(`/assets/${name}`, (c) => c.body(content, 200, { 'content-type': type }))
  }
  return app
}
