// What a subscriber asked for cannot be understood: the answer is 400 with this sentence.

export class BadQuestion extends Error {
  override name = 'BadQuestion'
  constructor(parameter: string, expected: string) {
    super(`${parameter}: ${expected}`)
  }
}
