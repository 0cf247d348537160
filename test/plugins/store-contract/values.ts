import assert from 'node:assert/strict'
import type { ValuesQuery } from '../../../src/core/store.ts'
import { idAt, start, told } from '../../support/stored-records.ts'
import type { Check } from './check.ts'

/** What can be filtered by. */
export function valuesContract(check: Check): void {
  check(
    'what occurs in ended interceptions, each once, in order, as may be seen',
    async (store) => {
      const anna = { initiatorId: 'u-1', initiatorUsername: 'anna' }
      const ben = { initiatorId: 'u-2', initiatorUsername: 'ben' }
      await store.record([
        ...told({
          start: { ...anna, model: 'gpt-5', client: 'Zed' },
          tools: ['Bash', 'Read', 'Bash'],
        }),
        ...told({ ms: 1, start: { ...anna, model: 'gpt-4', provider: 'openai' }, tools: ['Bash'] }),
        ...told({
          ms: 2,
          start: { ...ben, model: 'claude-x', providerName: 'eu' },
          tools: ['Write'],
        }),
        ...told({ ms: 3, start: { ...ben, model: 'gpt-5' }, tools: ['bash'] }),
        ...told({
          ms: 4,
          start: { ...ben, model: 'running', client: 'Run' },
          tools: ['Run'],
          end: null,
        }),
      ])
      for (const [query, expected] of [
        [{ of: 'model' }, ['claude-x', 'gpt-4', 'gpt-5']],
        [{ of: 'model', visibleTo: 'u-1' }, ['gpt-4', 'gpt-5']],
        [{ of: 'model', visibleTo: 'anna' }, []],
        [{ of: 'model', prefix: 'gpt' }, ['gpt-4', 'gpt-5']],
        [{ of: 'model', prefix: 'GPT' }, []],
        [{ of: 'model', prefix: 'pt' }, []],
        [{ of: 'model', prefix: '%' }, []],
        [{ of: 'model', prefix: 'g_t' }, []],
        [{ of: 'model', prefix: '.*' }, []],
        [{ of: 'model', prefix: 'gpt', visibleTo: 'u-2' }, ['gpt-5']],
        [{ of: 'model', limit: 1 }, ['claude-x']],
        [{ of: 'model', limit: 1, offset: 1 }, ['gpt-4']],
        [{ of: 'model', offset: 3 }, []],
        [{ of: 'client' }, ['Claude Code', 'Zed']],
        [{ of: 'provider' }, ['anthropic', 'openai']],
        [{ of: 'providerName' }, ['anthropic', 'eu']],
        [{ of: 'providerName', visibleTo: 'u-1' }, ['anthropic']],
        [{ of: 'tool' }, ['Bash', 'Read', 'Write', 'bash']],
        [{ of: 'tool', visibleTo: 'u-2' }, ['Write', 'bash']],
        [{ of: 'tool', prefix: 'B' }, ['Bash']],
        [{ of: 'initiator' }, ['anna', 'ben']],
        [{ of: 'initiator', visibleTo: 'u-2' }, ['ben']],
        [{ of: 'initiator', prefix: 'u-' }, []],
      ] as readonly (readonly [ValuesQuery, readonly string[]])[])
        assert.deepEqual(await store.values(query), expected, JSON.stringify(query))
    },
  )

  check('a value that occurs no more is not given', async (store) => {
    const id = idAt(0)
    const [begun, call, ended] = told({ id, start: { model: 'old' }, tools: ['Bash'] })
    if (!call || !ended) throw new Error('a plan of three records')
    await store.record([begun, call, ended])
    await store.record([start(id, { model: 'new' }), { ...call, tool: 'Read' } as typeof call])
    assert.deepEqual(await store.values({ of: 'model' }), ['new'])
    assert.deepEqual(await store.values({ of: 'tool' }), ['Read'])
    await store.erase({ initiator: 'u-0' })
    assert.deepEqual(await store.values({ of: 'model' }), [])
    assert.deepEqual(await store.values({ of: 'tool' }), [])
  })
}
