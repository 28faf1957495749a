// What ends a run of a job without having been an attempt.
/** Thrown by a job that must wait for another one: it comes again after `ms`, and it was no attempt. */
export class Deferred extends Error {
  override name = 'Deferred'
  readonly ms: number
  constructor(ms: number) {
    super(`Not before ${ms} ms from now.`)
    this.ms = ms
  }
}

/** Thrown by a job that has been put where it waits: it was no attempt either. */
export class PutOff extends Error {
  override name = 'PutOff'
}

/** Thrown by a job that another worker runs by now, since this one was silent for too long. */
export class LockLost extends Error {
  override name = 'LockLost'
}
