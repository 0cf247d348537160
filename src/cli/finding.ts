/** What a check of `sluice doctor` found. */
export interface Finding {
  readonly check: string
  readonly level: 'ok' | 'warning' | 'error'
  readonly message: string
  /** How to mend it. */
  readonly mend?: string
}

export function ok(check: string, message: string): Finding {
  return { check, level: 'ok', message }
}

export function warning(check: string, message: string, mend: string): Finding {
  return { check, level: 'warning', message, mend }
}

export function error(check: string, message: string, mend: string): Finding {
  return { check, level: 'error', message, mend }
}
