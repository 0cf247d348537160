import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { isToken } from '../../src/server/identity/gateway-token.ts'
import {
  type Finished,
  type GatewayProcess,
  runCommand,
  startGateway,
  workFolder,
} from '../support/gateway-process.ts'

type Run = (...args: readonly string[]) => Promise<Finished>

const ways: Readonly<Record<string, () => Promise<{ run: Run; stop(): Promise<unknown> }>>> = {
  'in the store': async () => {
    const folder = workFolder()
    return { run: (...args) => runCommand(args, { folder }), stop: async () => {} }
  },
  'through a gateway': async () => {
    const token = 'the-bootstrap-token-of-the-first-owner'
    const flags = ['--auth', 'tokens', '--bootstrap-token', token]
    const gateway: GatewayProcess = await startGateway(flags)
    const folder = workFolder()
    const env = { SLUICE_URL: gateway.url, SLUICE_TOKEN: token }
    return { run: (...args) => runCommand(args, { folder, env }), stop: () => gateway.stop() }
  },
}

for (const [way, open] of Object.entries(ways)) {
  suite(`users and tokens ${way}`, () => {
    let run: Run
    let stop: () => Promise<unknown>
    before(async () => {
      ;({ run, stop } = await open())
    })
    after(() => stop())
    const names = async () => JSON.parse((await run('users', 'list', '--output', 'json')).stdout)

    test('a user is added, seen, changed and removed', async () => {
      const added = await run('users', 'add', 'Łucja K', '--role', 'auditor')
      assert.equal(added.code, 0, added.stderr)
      assert.match(added.stdout, /^USERNAME +ROLE +CREATED AT +ID\nŁucja K +auditor +\d{4}-/)
      const again = await run('users', 'add', 'Łucja K')
      assert.equal(again.code, 1)
      assert.match(again.stderr, /there is a user "Łucja K" already/i)
      assert.equal((await run('users', 'set-role', 'Łucja K', 'owner')).code, 0)
      const found = (await names()).find(
        (user: { username: string }) => user.username === 'Łucja K',
      )
      assert.equal(found.role, 'owner')
      const other = await run('users', 'add', 'bob', '--role', 'owner', '--output', 'json')
      assert.equal(JSON.parse(other.stdout).username, 'bob')
      assert.equal((await run('users', 'remove', 'Łucja K')).code, 0)
      const gone = await run('users', 'remove', 'Łucja K')
      assert.equal(gone.code, 1)
      assert.match(gone.stderr, /there is no user "Łucja K"/i)
    })

    test('a token is printed once and alone, listed without itself, and revoked', async () => {
      await run('users', 'add', 'ann')
      const created = await run('tokens', 'create', 'ann', '--expires', '90d', '--name', 'laptop')
      const token = created.stdout.trim()
      assert.ok(isToken(token), created.stderr)
      assert.match(created.stderr, /shown this once/)
      const listed = await run('tokens', 'list', 'ann', '--output', 'json')
      const [row] = JSON.parse(listed.stdout)
      assert.ok(!listed.stdout.includes(token))
      assert.equal(row.name, 'laptop')
      assert.equal(Date.parse(row.expires_at) - Date.parse(row.created_at), 90 * 86_400_000)
      assert.match((await run('tokens', 'list')).stdout, /\nann +laptop +slui\.\.\./)
      const json = JSON.parse((await run('tokens', 'create', 'ann', '--output', 'json')).stdout)
      assert.ok(isToken(json.token))
      assert.equal((await run('tokens', 'revoke', row.id)).code, 0)
      const left = JSON.parse((await run('tokens', 'list', 'ann', '--output', 'json')).stdout)
      assert.deepEqual(
        left.map(({ id }: { id: string }) => id),
        [json.id],
      )
      assert.equal((await run('tokens', 'revoke', row.id)).code, 1)
    })

    test('what will not do is told on standard error, with exit code 1', async () => {
      const cases: [readonly string[], RegExp][] = [
        [['users', 'add', 'x', '--role', 'king'], /Allowed choices are member, auditor, owner/],
        [['users', 'add', 'me'], /"me"/],
        [['users', 'add'], /missing required argument/],
        [['users', 'add', 'x', '--rolle', 'owner'], /unknown option/],
        [['users', 'set-role', 'nobody', 'owner'], /no user "nobody"/i],
        [['tokens', 'create', 'nobody'], /no user "nobody"/i],
        [['tokens', 'create', 'ann', '--expires', '90'], /is no duration/],
        [['tokens', 'revoke', 'nothing'], /no token/i],
      ]
      for (const [args, message] of cases) {
        const { code, stdout, stderr } = await run(...args)
        assert.equal(code, 1, args.join(' '))
        assert.equal(stdout, '')
        assert.match(stderr, message, args.join(' '))
      }
    })
  })
}

test('a store that is not there is made by adding a user, and by nothing else', async () => {
  const folder = workFolder()
  const run: Run = (...args) => runCommand(args, { folder })
  for (const args of [
    ['users', 'list'],
    ['tokens', 'create', 'ann'],
    ['users', 'remove', 'ann'],
  ]) {
    const { code, stderr } = await run(...args)
    assert.equal(code, 1)
    assert.match(stderr, /there is no store at \.\/sluice-data\/sluice\.db yet/)
  }
  assert.equal((await run('users', 'add', 'ann', '--role', 'owner')).code, 0)
  assert.match((await run('users', 'list')).stdout, /ann +owner/)
  assert.match((await run('users', 'list', '--store', 'memory:')).stderr, /only its gateway sees/)
})

test('a gateway that refuses says why, and what to set', async (t) => {
  const gateway = await startGateway(['--auth', 'tokens'])
  t.after(() => gateway.stop())
  const list = ['users', 'list', '--url', gateway.url]
  const without = await runCommand(list)
  assert.equal(without.code, 1)
  assert.match(without.stderr, /401 .*token.* Set SLUICE_TOKEN\./)
  const member = await runCommand(['users', 'add', 'bob'], { folder: gateway.folder })
  assert.equal(member.code, 0)
  const token = await runCommand(['tokens', 'create', 'bob'], { folder: gateway.folder })
  const env = { SLUICE_TOKEN: token.stdout.trim() }
  assert.match((await runCommand(list, { env })).stderr, /403 Only an owner may do this/)
  const nobody = await runCommand(['users', 'list', '--url', 'http://127.0.0.1:1'])
  assert.match(nobody.stderr, /ECONNREFUSED/)
})
