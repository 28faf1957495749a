// How to subscribe, in three languages: the page shows them, the documentation repeats them, and the tests run them.
import { readFileSync } from 'node:fs'

/** Stands in the examples for the address of the service. */
export const exampleAddress = 'http://127.0.0.1:8000'
/** Stands in them for the feed and its filter. */
export const exampleFeed = `${exampleAddress}/sse/?kind=merge_request,push`

const read = (file: string) => readFileSync(new URL(`examples/${file}`, import.meta.url), 'utf8')

export const examples = [
  { title: 'JavaScript', text: read('javascript.js') },
  { title: 'Python', text: read('python.py') },
  { title: 'curl', text: read('curl.sh') },
]
