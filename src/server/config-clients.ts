import type { ClientRule } from '../core/client-rules.ts'
import { type ClientRuleConfig, compileClientRules } from '../core/compile-client-rules.ts'
import { messageOf } from '../core/errors.ts'
import { isObject } from '../core/json.ts'
import type { ConfigFile } from './config-file.ts'

/** The file's rules for telling clients apart, before the built-in ones. */
export function readClients(file: ConfigFile, faults: string[]): readonly ClientRule[] {
  const { clients = [], name } = file
  if (!Array.isArray(clients)) {
    faults.push(`${name}: clients: must be a list`)
    return []
  }
  for (const [index, rule] of clients.entries()) {
    for (const key of Object.keys(isObject(rule) ? rule : {}))
      if (!['client', 'when', 'session'].includes(key))
        faults.push(`${name}: clients[${index}].${key}: unknown`)
  }
  try {
    return compileClientRules(clients as readonly ClientRuleConfig[])
  } catch (error) {
    faults.push(`${name}: ${messageOf(error)}`)
    return []
  }
}
