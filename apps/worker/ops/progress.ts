// A long action told while it goes on: one line that is written over on a terminal, a line now and then in a pipe.
export function progress(verb: string): (done: number, of: number) => void {
  const { stderr } = process
  return (done, of) => {
    if (stderr.isTTY) stderr.write(`\r${verb} ${bar(done, of)} ${done}/${of}${done === of ? '\n' : ''}`)
    else if (done % 100 === 0 || done === of) stderr.write(`${verb} ${done}/${of}\n`)
  }
}

const width = 30

function bar(done: number, of: number): string {
  const full = of === 0 ? width : Math.round((width * done) / of)
  return `[${'#'.repeat(full)}${' '.repeat(width - full)}]`
}
