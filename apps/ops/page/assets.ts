// The page's styles, script and icon, read once. Nothing comes from anywhere else: simple.css is one of our packages.
import { readFileSync } from 'node:fs'
import { Hono } from 'hono'

const files = [
  { name: 'simple.css', from: import.meta.resolve('simpledotcss/simple.css'), type: 'text/css; charset=utf-8' },
  { name: 'style.css', from: import.meta.resolve('./assets/style.css'), type: 'text/css; charset=utf-8' },
  { name: 'live.js', from: import.meta.resolve('./assets/live.js'), type: 'text/javascript; charset=utf-8' },
  { name: 'sort.js', from: import.meta.resolve('./assets/sort.js'), type: 'text/javascript; charset=utf-8' },
  { name: 'icon.svg', from: import.meta.resolve('./assets/icon.svg'), type: 'image/svg+xml' },
]

export function assets(): Hono {
  const app = new Hono()
  for (const { name, from, type } of files) {
    const content = readFileSync(new URL(from), 'utf8')
    app.get(`/assets/${name}`, (c) => c.body(content, 200, { 'content-type': type }))
  }
  return app
}
