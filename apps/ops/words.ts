// What an operator is told in words. They are made here only: a piece that is put into them, such as a title, a name or a
// reason that came from outside, is made harmless, and line breaks and colours are ours. What is told takes nothing but
// words, so whatever a command says has come through here.
import { stripVTControlCharacters, styleText } from 'node:util'
import { harmless, harmlessJson } from '#shared/process/harmless.ts'

const text = Symbol('text')

export type Words = { readonly [text]: string }
export type Piece = Words | string | number

/** A template: its own text stays as it is, and so do words; every other piece becomes a harmless part of its line. */
export function words(own: TemplateStringsArray, ...pieces: Piece[]): Words {
  return { [text]: own.map((part, at) => part + rendered(pieces[at] ?? '')).join('') }
}

function rendered(piece: Piece): string {
  return typeof piece === 'object' ? piece[text] : harmless(String(piece))
}

/** Those pieces that are there, with `between` between them. */
export function joined(pieces: Array<Piece | false | null | undefined>, between: ' ' | '  ' | ', ' | '; ' | '\n' | '\n\n'): Words {
  const there = pieces.flatMap((piece) => (piece === false || piece === null || piece === undefined || piece === '' ? [] : [piece]))
  return { [text]: there.map(rendered).join(between) }
}

/** One below the other; an empty piece is an empty line. */
export function lines(pieces: Piece[]): Words {
  return { [text]: pieces.map(rendered).join('\n') }
}

export function styled(style: 'green' | 'red' | 'yellow' | 'dim', piece: Piece): Words {
  return { [text]: styleText(style, rendered(piece)) }
}

/** How many columns a piece takes, about. */
export function widthOf(piece: Piece): number {
  return stripVTControlCharacters(rendered(piece)).length
}

/** With blanks behind it, to be `width` wide. */
export function padded(piece: Piece, width: number): Words {
  return { [text]: rendered(piece) + ' '.repeat(Math.max(0, width - widthOf(piece))) }
}

/** Says it on stdout. */
export function output(said: Words): void {
  console.log(said[text])
}

/** Says it on stdout as JSON, in one line. */
export function outputJson(data: unknown): void {
  console.log(harmlessJson(JSON.stringify(data)))
}

/** Says it on stderr. */
export function warn(said: Words): void {
  console.error(said[text])
}

const [clear, lineAgain] = ['\u001b[H\u001b[J', '\r\u001b[K']

/** Says it on a cleared screen; in a pipe, below what was said before. */
export function outputOver(said: Words): void {
  console.log(`${process.stdout.isTTY ? clear : ''}${said[text]}\n`)
}

/** Says it on the terminal behind stderr, over what was said so before. */
export function warnOver(said: Words): void {
  process.stderr.write(lineAgain + said[text])
}

/** From now on libraries print no warnings: what they say about Redis a command says better. */
export function quietLibraries(): void {
  console.warn = () => undefined
}
