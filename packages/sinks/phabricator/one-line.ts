// Foreign text made harmless: anybody can write a title, and what we make of it is posted under our name.

const longest = 500
const controls = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu
const invisible = /\p{Default_Ignorable_Code_Point}|\p{Cf}/gu

/**
 * `text` as one line of at most 500 characters: line breaks and controls become one blank; right-to-left marks and
 * other characters that cannot be seen are left out; half characters are replaced; what is too long ends in `…`.
 */
export function oneLine(text: string): string {
  const start = text.slice(0, 20 * longest).toWellFormed()
  const line = start.replaceAll(invisible, '').replaceAll(controls, ' ').trim()
  const characters = Array.from(line)
  return characters.length > longest || text.length > 20 * longest ? `${characters.slice(0, longest - 1).join('')}…` : line
}

/** `text` as one line that can stand inside a Remarkup literal block, between `%%%` and `%%%`, and cannot leave it. */
export function literal(text: string): string {
  return oneLine(text).replaceAll(/%%(?=%)/g, '%% ')
}
