// The patterns by which an operator names projects, and the beginnings of ids, as the database reads them. The columns
// are compared letter by letter, so capitals count.

/** A pattern in which `*` stands for anything, as SQL's `like` wants it. */
export function like(pattern: string): string {
  return literally(pattern).replaceAll('*', '%')
}

/** Everything that begins with `text`, in which `*` is a letter like any other, as SQL's `like` wants it. */
export function beginningWith(text: string): string {
  return `${literally(text)}%`
}

function literally(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`)
}

/** Whether `text` fits `pattern`, in which `*` stands for anything, just as the database says it. */
export function fits(text: string, pattern: string): boolean {
  const escaped = pattern.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`).replaceAll('*', '.*')
  return new RegExp(`^${escaped}$`, 's').test(text)
}
