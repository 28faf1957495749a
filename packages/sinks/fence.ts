// What stands before the one call of an effect that cannot be undone. The performer opens it; the file of a remote goes through it.

/** What the file of a remote does about a call that cannot be undone. */
export type Fence = {
  /** For how long the call is waited for, in ms. */
  limitMs: number
  /** Right before the call is written; throws when another worker has taken the job over: then it must not be. */
  pass: () => Promise<void>
  /** The whole answer is here: nothing of the call is at work any more. */
  answered: () => void
  /** The answer says that nothing was done. */
  undone: () => void
}
