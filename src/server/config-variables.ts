import { settingNames, settings, variableOf } from './settings.ts'

/** `SLUICE_…` variables that nobody reads: most often a name that was misspelt. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('SLUICE_') && !known.has(name))
    .sort()
}

const known: ReadonlySet<string> = new Set([
  'SLUICE_CONFIG',
  'SLUICE_URL',
  'SLUICE_TOKEN',
  'SLUICE_TOKEN_FILE',
  'SLUICE_TRACE_ENABLE',
  // The tests' and the examples' own.
  'SLUICE_TEST_NEEDS',
  ...settingNames.map(variableOf),
  ...settingNames.filter((name) => settings[name].secret).map((name) => `${variableOf(name)}_FILE`),
])
