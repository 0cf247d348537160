/** An error as the REST API tells it. */
export interface ApiError {
  readonly message: string
  readonly detail?: string
  readonly validations?: readonly { readonly field: string; readonly detail: string }[]
}

/** One thing that is wrong with a request's parameters. */
export interface Fault {
  readonly field: string
  readonly detail: string
  /** Under which it is told, beside others of its kind. @default that of parameters */
  readonly message?: string | undefined
  /** What is answered instead where nothing else is wrong: scripts written for the reference look for it. */
  readonly alone?: ApiError | undefined
}

export const badParameters = 'Query parameters have invalid values.'

/** All that is wrong, in one answer. */
export function errorOf(faults: readonly Fault[]): ApiError {
  const [first] = faults
  if (first?.alone && faults.length === 1) return first.alone
  const messages = new Set(faults.map(({ message = badParameters }) => message))
  const [only = badParameters] = messages
  return {
    message: messages.size === 1 ? only : badParameters,
    validations: faults.map(({ field, detail }) => ({ field, detail })),
  }
}
