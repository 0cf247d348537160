import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { settingNames, variableOf } from '../../src/server/settings.ts'

interface Service {
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly secrets?: readonly string[]
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, unknown>>
}

const folder = new URL('../../deploy/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, folder), 'utf8')
const compose = parse(read('compose.yaml'), { merge: true }) as Compose
const services = Object.entries(compose.services)

test('the compose file is one by its schema', () => {
  const linter = fileURLToPath(new URL('../../node_modules/dclint/bin/dclint.cjs', import.meta.url))
  const file = fileURLToPath(new URL('compose.yaml', folder))
  const { status, stdout, stderr } = spawnSync(process.execPath, [linter, '--quiet', file], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stdout + stderr)
})

test('every volume, secret and service that is named exists', () => {
  for (const [name, service] of services) {
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':')
      const there = source.startsWith('.')
        ? existsSync(new URL(source, folder))
        : source in compose.volumes
      assert.ok(there, `${name}: ${source}`)
    }
    for (const secret of service.secrets ?? []) assert.ok(secret in compose.secrets, secret)
    for (const other of Object.keys(service.depends_on ?? {}))
      assert.ok(other in compose.services, other)
  }
})

test('the gateways get settings that exist', () => {
  const known = new Set(settingNames.map(variableOf))
  const variables = services
    .filter(([name]) => name.startsWith('sluice-'))
    .flatMap(([, { environment = {} }]) => Object.keys(environment))
  const image = [
    ...readFileSync(new URL('../Dockerfile', folder), 'utf8').matchAll(/SLUICE_\w+(?==)/g),
  ]
  const set = [...variables, ...image.map(([name]) => name)].filter((name) =>
    name.startsWith('SLUICE_'),
  )
  assert.ok(set.length >= 8)
  for (const name of set) assert.ok(known.has(name), `${name} is no setting`)
})

test('what Prometheus and Grafana are told to ask are services of this file', () => {
  const text = [
    'prometheus/prometheus.yml',
    'grafana/provisioning/datasources/sluice.yaml',
    'otel-collector.yaml',
  ]
    .map(read)
    .join('\n')
  const hosts = [...text.matchAll(/\b([a-z]+(?:-\d)?):\d{4,5}\b/g)].map(([, host = '']) => host)
  assert.ok(hosts.length >= 5)
  for (const host of hosts) assert.ok(host in compose.services, host)
})
