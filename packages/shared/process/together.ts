// Puts questions together that are asked in one turn of the event loop.

/**
 * Makes of `askAll`, which answers questions in their order, one that answers a single question. Rejects with what `askAll` rejects
 * with, for all of that turn.
 */
export function together<Question, Answer extends NonNullable<unknown>>(
  askAll: (questions: Question[]) => Promise<Answer[]>,
): (question: Question) => Promise<Answer> {
  let asked: Question[] = []
  let answers: Promise<Answer[]> | undefined

  async function askNow(): Promise<Answer[]> {
    await new Promise<void>((resolve) => process.nextTick(resolve))
    const questions = asked
    asked = []
    answers = undefined
    return await askAll(questions)
  }

  return async function ask(question) {
    const at = asked.push(question) - 1
    answers ??= askNow()
    const answer = (await answers)[at]
    if (answer === undefined) throw new Error('A question has no answer.')
    return answer
  }
}
