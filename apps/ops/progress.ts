// A long action told while it goes on, on stderr: one line that is written over on a terminal, a line now and then in a
// pipe.

import { warn, warnOver, words } from './words.ts'

export type Show = {
  /** `more` is said behind the numbers. */
  at: (done: number, of: number, more?: string) => void
  /** The last word: whatever comes next begins a new line. */
  end: () => void
}

const width = 30
const everyMs = 5000

/** Shows how far `verb` has come. */
export function progress(verb: string): Show {
  const { stderr } = process
  let last = ''
  let told = 0

  return {
    at(done, of, more = '') {
      const line = `${verb} ${done} of ${of}${more === '' ? '' : `, ${more}`}`
      if (line === last) return
      if (stderr.isTTY) warnOver(words`${bar(done, of)} ${line}`)
      else if (Date.now() - told > everyMs || done === of) {
        warn(words`${line}`)
        told = Date.now()
      }
      last = line
    },
    end() {
      if (stderr.isTTY && last !== '') warn(words``)
    },
  }
}

function bar(done: number, of: number): string {
  const full = of === 0 ? width : Math.round((width * done) / of)
  return `[${'#'.repeat(full)}${' '.repeat(width - full)}]`
}
