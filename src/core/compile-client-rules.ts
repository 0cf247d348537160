import {
  type ClientCondition,
  type ClientRule,
  clientRules,
  type SessionSource,
} from './client-rules.ts'
import { messageOf, SluiceError } from './errors.ts'
import { isObject, objectOf } from './json.ts'

/** A rule as the configuration file words it. */
export interface ClientRuleConfig {
  readonly client: string
  /** Regular expressions; all that are given must hold. */
  readonly when: {
    /** Tested on lines `name: value`, names in lower case. */
    readonly header?: string
    readonly userAgent?: string
    /** Tested on the beginning of the system prompt or instructions. */
    readonly body?: string
  }
  /** Each a header's name or a path in the body, such as `metadata.chat_id`; the first with a value counts. */
  readonly session?: readonly string[]
}

/** The configured rules, then the built-in ones. Throws one error that names every fault. */
export function compileClientRules(config: readonly ClientRuleConfig[]): readonly ClientRule[] {
  const faults: string[] = []
  const rules = config.map((rule, index) => compileRule(rule, `clients[${index}]`, faults))
  if (faults.length > 0) {
    throw new SluiceError(`client rules: ${faults.join('; ')}`, { code: 'ERR_CLIENT_RULES' })
  }
  return [...rules, ...clientRules]
}

const conditionNames: readonly (keyof ClientCondition)[] = ['userAgent', 'header', 'body']

function compileRule(rule: ClientRuleConfig, at: string, faults: string[]): ClientRule {
  // It comes from a file: its type is a promise that the file may break.
  const { client, when, session } = objectOf(rule)
  if (typeof client !== 'string' || client.trim() === '') {
    faults.push(`${at}.client must be a name`)
  }
  const builtIn = clientRules.find((known) => known.client === client)
  return {
    client: String(client),
    when: [compileCondition(when, `${at}.when`, faults)],
    session:
      session === undefined
        ? (builtIn?.session ?? [])
        : compileSources(session, `${at}.session`, faults),
    cacheKey: builtIn?.cacheKey ?? false,
  }
}

function compileCondition(when: unknown, at: string, faults: string[]): ClientCondition {
  if (!isObject(when) || Object.keys(when).length === 0) {
    faults.push(`${at} must have one or more of ${conditionNames.join(', ')}`)
    return {}
  }
  const condition: Partial<Record<keyof ClientCondition, RegExp>> = {}
  for (const [key, source] of Object.entries(when)) {
    const name = conditionNames.find((known) => known === key)
    if (!name) faults.push(`${at}.${key} is not known: use ${conditionNames.join(', ')}`)
    else if (typeof source !== 'string' || source === '') {
      faults.push(`${at}.${key} must be a regular expression`)
    } else {
      try {
        condition[name] = new RegExp(source, 'm')
      } catch (error) {
        faults.push(`${at}.${key}: ${messageOf(error)}`)
      }
    }
  }
  return condition
}

function compileSources(session: unknown, at: string, faults: string[]): readonly SessionSource[] {
  if (!Array.isArray(session)) {
    faults.push(`${at} must be a list of header names and body paths`)
    return []
  }
  return session.flatMap((name: unknown, index): readonly SessionSource[] => {
    if (typeof name !== 'string' || name.trim() === '') {
      faults.push(`${at}[${index}] must be a header's name or a path in the body`)
      return []
    }
    // What it yields is recorded, so it must not be able to name a secret.
    if (/^(proxy-)?authorization$|^cookie$|(^|-)(api-?key|token)$/i.test(name.trim())) {
      faults.push(`${at}[${index}] names "${name}", a credential: those are never recorded`)
      return []
    }
    if (name.startsWith('body.')) return [{ body: name.slice('body.'.length) }]
    return [{ header: name }, { body: name }]
  })
}
