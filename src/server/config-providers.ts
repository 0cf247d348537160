import { z } from 'zod'
import { messageOf } from '../core/errors.ts'
import {
  baseUrlFault,
  type Provider,
  type ProviderOptions,
  providerNameFault,
} from '../core/provider.ts'
import { anthropic } from '../core/providers/anthropic.ts'
import { openai } from '../core/providers/openai.ts'
import type { GivenSettings } from './config.ts'
import type { ConfigFile } from './config-file.ts'
import { noteIssues } from './config-issues.ts'
import { readSecret } from './config-secret.ts'
import type { Settings } from './settings.ts'

const makers = { anthropic, openai }

const entrySchema = z.strictObject({
  name: checked(providerNameFault),
  type: z.enum(['anthropic', 'openai'], { error: 'must be anthropic or openai' }),
  baseUrl: checked(baseUrlFault).optional(),
  key: z.string().optional(),
  keyFile: z.string().optional(),
  chatUsage: z.enum(['auto', 'ask', 'off'], { error: 'must be auto, ask or off' }).optional(),
  disconnect: z.enum(['abort', 'drain'], { error: 'must be abort or drain' }).optional(),
  passthrough: z
    .array(z.string().startsWith('/', { error: 'must be paths such as /v1/files/*' }))
    .optional(),
})

/** A text in which nothing is at fault: checked here, so that all faults of an entry are told at once. */
function checked(faultOf: (text: string) => string | null) {
  return z.string().refine((text) => faultOf(text) === null, {
    error: ({ input }) => faultOf(String(input)) ?? '',
  })
}

interface Sources {
  readonly settings: Settings
  readonly given: GivenSettings
  readonly file: ConfigFile
  readonly folder: string
  readonly faults: string[]
}

/** `/anthropic`, `/openai` and those of the file; one of the file under these names takes their place. */
export function readProviders(sources: Sources): Provider[] {
  const { settings, file, faults } = sources
  const listed = entriesOf(file, faults)
  const names = new Set(listed.map(({ entry }) => entry.name))
  const providers: Provider[] = []
  for (const type of ['anthropic', 'openai'] as const) {
    if (names.has(type)) refuseBoth(type, sources)
    else
      providers.push(...make({ place: `/${type}`, type, options: usual(type, settings), faults }))
  }
  const seen = new Set<string>()
  for (const { place, entry } of listed) {
    if (seen.has(entry.name)) faults.push(`${place}: there are two providers named "${entry.name}"`)
    seen.add(entry.name)
    const options = optionsOf(place, entry, sources)
    providers.push(...make({ place, type: entry.type, options, faults }))
  }
  return providers
}

type Entry = z.output<typeof entrySchema>

function entriesOf(file: ConfigFile, faults: string[]): { place: string; entry: Entry }[] {
  if (file.providers === undefined) return []
  if (!Array.isArray(file.providers)) {
    faults.push(`${file.name}: providers: must be a list`)
    return []
  }
  return file.providers.flatMap((value, index) => {
    const place = `${file.name}: providers[${index}]`
    const result = entrySchema.safeParse(value)
    if (result.success) return [{ place, entry: result.data }]
    noteIssues(place, result.error, faults)
    return []
  })
}

function refuseBoth(type: 'anthropic' | 'openai', { given, file, faults }: Sources): void {
  for (const name of [`${type}BaseUrl`, `${type}Key`] as const) {
    const there = given.get(name)
    if (there)
      faults.push(
        `${there.place}: ${file.name} has a provider named ${type}: say it there, or here`,
      )
  }
}

function usual(type: 'anthropic' | 'openai', settings: Settings): ProviderOptions {
  const baseUrl = settings[`${type}BaseUrl`]
  const key = settings[`${type}Key`]
  return { ...(baseUrl && { baseUrl }), ...(key && { key }), chatUsage: settings.chatUsage }
}

function optionsOf(
  place: string,
  { type: _, key, keyFile, chatUsage, ...rest }: Entry,
  { settings, folder, faults }: Sources,
): ProviderOptions {
  if (key !== undefined && keyFile !== undefined)
    faults.push(`${place}: key and keyFile: only one of them may be set`)
  const secret =
    key ?? (keyFile === undefined ? undefined : readSecret(keyFile, place, faults, folder))
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return {
    ...said,
    ...(secret !== undefined && { key: secret }),
    chatUsage: chatUsage ?? settings.chatUsage,
  }
}

function make({
  place,
  type,
  options,
  faults,
}: {
  place: string
  type: 'anthropic' | 'openai'
  options: ProviderOptions
  faults: string[]
}): Provider[] {
  try {
    return [makers[type](options)]
  } catch (error) {
    faults.push(`${place}: ${messageOf(error)}`)
    return []
  }
}
