// What the markup of a comment does besides looking nice: `@alice` subscribes alice, `T5` leaves a trace on T5.
// Inside a literal block (`%%%`, from the start of a line to the end of one) and in code nothing does anything.
// So a title that breaks out of its block is seen by its consequences.

export function effectsOf(text: string): { people: string[]; tasks: number[] } {
  const live = withoutBlocks(text)
    .replace(/`[^`\n]*`/g, '')
    .replace(/\bhttps?:\/\/[^\s<>]+/g, '')
  return {
    people: [...live.matchAll(/(?<![\w@])@(\w[\w.-]*\w|\w)/g)].map((match) => match[1] ?? ''),
    tasks: [...live.matchAll(/(?<![\w#/@-])T(\d+)\b(?!-)/g)].map((match) => Number(match[1])),
  }
}

function withoutBlocks(text: string): string {
  const live: string[] = []
  let closing: RegExp | undefined
  for (const line of text.split(/\r?\n/)) {
    if (closing) {
      if (closing.test(line)) closing = undefined
    } else if (line.startsWith('%%%')) {
      if (!/^%%%.*%%%\s*$/.test(line)) closing = /%%%\s*$/
    } else if (line.startsWith('```')) {
      if (!/^```.*```\s*$/.test(line)) closing = /```\s*$/
    } else live.push(line)
  }
  return live.join('\n')
}
