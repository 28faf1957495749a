// For how long a job stays with a worker that is not heard of, in ms. The worker renews the lock at half its length; when it
// has run out, whoever looks next takes the job up again.

export const lockMs = 10_000

// In a queue whose jobs run one after another everything waits for that, so it is shorter; its jobs are, too.
export const serialLockMs = 4000

/** How often each worker looks for jobs whose lock of `ms` has run out. */
export const lookEveryMs = (ms: number) => ms / 2
