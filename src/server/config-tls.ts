import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { messageOf } from '../core/errors.ts'
import type { GivenSettings } from './config.ts'
import { flagOf, type Settings } from './settings.ts'

export interface TlsFiles {
  readonly cert: string
  readonly key: string
}

/** The certificate and its key, read and tried; undefined where https is not asked for. */
export function readTls({
  settings: { tlsCertFile, tlsKeyFile },
  given,
  folder,
  faults,
}: {
  settings: Settings
  given: GivenSettings
  folder: string
  faults: string[]
}): TlsFiles | undefined {
  const place = (name: keyof Settings) => given.get(name)?.place ?? flagOf(name)
  const read = (name: 'tlsCertFile' | 'tlsKeyFile', path: string) => {
    try {
      return readFileSync(resolve(folder, path), 'utf8')
    } catch (error) {
      faults.push(`${place(name)}: cannot read the file (${messageOf(error)})`)
      return undefined
    }
  }
  if (tlsCertFile !== undefined && tlsKeyFile === undefined)
    faults.push(`${place('tlsCertFile')}: needs tls-key-file`)
  if (tlsKeyFile !== undefined && tlsCertFile === undefined)
    faults.push(`${place('tlsKeyFile')}: needs tls-cert-file`)
  if (tlsCertFile === undefined || tlsKeyFile === undefined) return undefined
  const cert = read('tlsCertFile', tlsCertFile)
  const key = read('tlsKeyFile', tlsKeyFile)
  if (cert === undefined || key === undefined) return undefined
  try {
    createSecureContext({ cert, key })
    return { cert, key }
  } catch (error) {
    faults.push(
      `${place('tlsCertFile')} and ${place('tlsKeyFile')}: are no certificate (PEM) and its key (${messageOf(error)})`,
    )
    return undefined
  }
}
