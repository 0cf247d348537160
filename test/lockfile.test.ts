import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface LockedPackage {
  readonly resolved?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const file = new URL('../package-lock.json', import.meta.url)
const packages = JSON.parse(readFileSync(file, 'utf8')).packages as Record<string, LockedPackage>

test('package-lock.json names the optional packages of every platform', () => {
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))
  assert.deepEqual(missing, [], '`npm ci` will refuse it: run .ci/complete-lockfile')
})

test('package-lock.json names no registry, so that everyone uses their own', () => {
  const addresses = Object.values(packages).filter(({ resolved }) => resolved !== undefined)
  assert.deepEqual(addresses, [])
})
