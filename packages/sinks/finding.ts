// What a check of the doctor found: one line, and what to do about it.

/** `wrong` keeps something from working; a `warning` may do so one day, or could not be looked into. */
export type Finding = { id: string; state: 'ok' | 'warning' | 'wrong'; message: string; remedy: string | null }

export function ok(id: string, message: string): Finding {
  return { id, state: 'ok', message, remedy: null }
}

export function warning(id: string, message: string, remedy: string): Finding {
  return { id, state: 'warning', message, remedy }
}

export function wrong(id: string, message: string, remedy: string): Finding {
  return { id, state: 'wrong', message, remedy }
}

/** For a check that cannot be made because another one failed. */
export function notLooked(id: string, because: string, remedy: string): Finding {
  return warning(id, `not looked into: ${because}`, remedy)
}
