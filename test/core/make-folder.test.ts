import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder } from '../../src/core/make-folder.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'sluice-folder-'))

test('a folder is made with those above it, for nobody else, and the topmost is told', () => {
  const there = folder()
  assert.equal(makeFolder(join(there, 'a', 'b', 'c')), join(there, 'a'))
  for (const made of ['a', 'a/b', 'a/b/c'])
    assert.equal(statSync(join(there, made)).mode & 0o777, 0o700)
  assert.equal(makeFolder(join(there, 'a', 'b', 'd')), join(there, 'a', 'b', 'd'))
  assert.equal(makeFolder(join(there, 'a', 'b')), undefined)
  symlinkSync(join(there, 'a'), join(there, 'link'))
  assert.equal(makeFolder(join(there, 'link')), undefined)
})

test('what is in the way of a folder is named', () => {
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  for (const path of [file, join(file, 'a', 'b')])
    assert.throws(() => makeFolder(path), { code: 'ENOTDIR', message: `${file} is no folder` })
})

test('a file system that lets nobody make folders says so', {
  skip: existsSync('/proc/self') ? false : 'needs /proc',
}, () => {
  assert.throws(() => makeFolder('/proc/none/below'), { code: 'ENOENT' })
})
