import { z } from 'zod'
import { truth } from './units.ts'

/** One setting: how its text is read, what it is where nothing is said, and its line of help. */
export interface Setting<T> {
  readonly schema: z.ZodType<T>
  /** As a user would write it; undefined where the setting has no default. */
  readonly fallback: string | undefined
  readonly help: string
  /** What stands for its value in the help; undefined for a switch (`--x`, `--no-x`). */
  readonly placeholder: string | undefined
  /** May hold a credential: also read from the file that `SLUICE_…_FILE` names, and never printed. */
  readonly secret: boolean
  /** Several values: by comma, by repeating the flag, or as a list in the file; none where nothing is said. */
  readonly list: boolean
}

/** One whose text a schema reads. */
export function value<T>(
  schema: z.ZodType<T>,
  fallback: string,
  help: string,
  placeholder: string,
): Setting<T> {
  return { schema, fallback, help, placeholder, secret: false, list: false }
}

/** One that may be left out. */
export function optional(
  schema: z.ZodType<string>,
  help: string,
  placeholder: string,
): Setting<string | undefined> {
  return { schema, fallback: undefined, help, placeholder, secret: false, list: false }
}

/** One that may hold a credential. */
export function secret(help: string): Setting<string | undefined> {
  return { ...optional(z.string(), help, 'key'), secret: true }
}

/** Any text but an empty one. */
export function text(fallback: string, help: string, placeholder: string): Setting<string> {
  return value(z.string().min(1, { error: 'must not be empty' }), fallback, help, placeholder)
}

/** A switch. */
export function toggle(fallback: 'true' | 'false', help: string): Setting<boolean> {
  return { schema: truth, fallback, help, placeholder: undefined, secret: false, list: false }
}

/** One of some words. */
export function choice<const T extends string>(
  values: readonly T[],
  fallback: NoInfer<T>,
  help: string,
): Setting<T> {
  const schema = z.enum(values, { error: `must be ${list(values)}` }) as unknown as z.ZodType<T>
  return value(schema, fallback, help, values.join('|'))
}

/** Where a store is. */
export function storeUrl(): z.ZodType<string> {
  return z.string().refine((url) => /^(sqlite:.|mongodb(\+srv)?:\/\/.|memory:$)/.test(url), {
    error: 'must be sqlite:FILE, mongodb://… or memory:',
  })
}

/** One text for all: what is between the commas is judged by itself. */
export function several(
  isOne: (text: string) => boolean,
  error: string,
  help: string,
  placeholder: string,
): Setting<readonly string[]> {
  const schema = z
    .string()
    .transform((text) => text.split(',').flatMap((part) => part.trim() || []))
    .refine((texts) => texts.every(isOne), { error })
  return { schema, fallback: undefined, help, placeholder, secret: false, list: true }
}

/** The name of a header. */
export function headerName(): z.ZodType<string> {
  return z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: 'must be the name of a header' })
}

/** As long as what can't be guessed: only its hash is kept, and that without salt. */
export function bootstrapToken(): z.ZodType<string> {
  return z.string().refine((text) => /^[\x21-\x7e]{32,512}$/.test(text), {
    error: 'must be 32 to 512 letters, digits and signs: openssl rand -hex 32 makes one',
  })
}

function list(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}
