import assert from 'node:assert/strict'
import { idAt, told } from '../../support/stored-records.ts'
import { type Check, finds } from './check.ts'

/** Words that all occur, and words side by side. */
export function searchContract(check: Check): void {
  check('words are found in prompts, names and inputs of tools, and reasoning', async (store) => {
    const id = idAt(0)
    await store.record(
      told({
        id,
        prompt: 'Please tidy the kitchen',
        tools: [{ tool: 'Broom', input: '{"path":"under the table"}' }],
        thoughts: ['The user wants clean floors.'],
      }),
    )
    await store.record(told({ ms: 1, prompt: 'Something else' }))
    for (const search of [
      'kitchen',
      'Broom',
      'table',
      'floors',
      'KITCHEN bRooM Table FLOORS',
      '"tidy the kitchen"',
      '"Under The Table"',
      'kitchen "clean floors"',
    ])
      await finds(store, { search }, [id])
    for (const search of [
      'kitchen garden',
      'kitch',
      'itchen',
      '"the tidy kitchen"',
      '"tidy kitchen"',
      // Each in a text of its own: not side by side.
      '"kitchen Broom"',
      'kitchen "floors clean"',
    ])
      await finds(store, { search }, [])
  })

  check('letters of any script, any case', async (store) => {
    const texts = ['ŻÓŁĆ i jaźń', 'ПРИВЕТ мир', '漢字 テスト', 'Straße 42', 'naïve café']
    const ids = texts.map((_, ms) => idAt(ms))
    for (const [ms, text] of texts.entries())
      await store.record(told({ id: ids[ms] as string, ms, prompt: text }))
    for (const [search, at] of [
      ['żółć', 0],
      ['JAŹŃ', 0],
      ['привет', 1],
      ['Мир ПРИВЕТ', 1],
      ['漢字', 2],
      ['テスト', 2],
      ['straße', 3],
      ['42', 3],
      ['NAÏVE', 4],
      ['"naïve CAFÉ"', 4],
    ] as const)
      await finds(store, { search }, [ids[at] as string])
  })

  check('any text is a text: nothing in it is syntax', async (store) => {
    const [plain, odd] = [idAt(0), idAt(1)]
    await store.record(told({ id: plain, prompt: 'hello or not near world and hell' }))
    await store.record(told({ id: odd, ms: 1, prompt: 'see src/index.ts: foo-bar (baz) x.y "hi"' }))
    for (const [search, ids] of [
      ['hello OR missing', []],
      ['hello OR world', [plain]],
      ['hello AND world', [plain]],
      ['hello NOT world', [plain]],
      ['NOT hello', [plain]],
      ['hello NEAR world', [plain]],
      ['-hello', [plain]],
      ['hel*', []],
      ['hello*', [plain]],
      ['^hello', [plain]],
      ['prompt:hello', []],
      ['(hello world)', [plain]],
      ['{hello}: world', [plain]],
      ['hello + world', [plain]],
      ['src/index.ts', [odd]],
      ['index.ts', [odd]],
      ['foo-bar', [odd]],
      ['(baz)', [odd]],
      ['baz; DROP TABLE records', []],
      ['.*', []],
      ['%', []],
      ['!!! ???', []],
      ['h.llo', []],
      ['hello$', [plain]],
    ] as const)
      await finds(store, { search }, ids)
    for (const search of [
      '"',
      '""',
      '"""',
      '"hello',
      'hello"',
      '\u0000',
      'a\u0000b',
      '\ud800',
      'NEAR(',
      'hello ^',
      '\\',
      "'",
      '$where',
      '[',
      '(?<',
      ' ',
      '\n',
    ])
      await store.interceptions({ search })
    await store.interceptions({ search: 'word '.repeat(2000) })
    await finds(store, { search: 'x'.repeat(100_000) }, [])
  })

  check('counts all that it finds, whatever the page', async (store) => {
    for (let ms = 0; ms < 30; ms++)
      await store.record(told({ ms, prompt: ms % 3 === 0 ? 'needle in hay' : 'hay' }))
    for (const [search, count] of [
      ['needle', 10],
      ['hay', 30],
      ['"in hay"', 10],
      ['straw', 0],
    ] as const) {
      const page = await store.interceptions({ search, limit: 4, offset: 2 })
      assert.deepEqual([page.count, page.countExact ?? true], [count, true], search)
      assert.equal(page.results.length, Math.min(4, count))
    }
  })

  check('with other filters both hold, running ones as asked for', async (store) => {
    const [anna, ben, open] = [idAt(0), idAt(1), idAt(2)]
    const prompt = 'a needle in the hay'
    await store.record(told({ id: anna, prompt, start: { initiatorId: 'u-1' } }))
    await store.record(
      told({ id: ben, ms: 1, prompt, start: { initiatorId: 'u-2' }, tools: ['Pin'] }),
    )
    await store.record(told({ id: open, ms: 2, prompt, start: { initiatorId: 'u-1' }, end: null }))
    await finds(store, { search: 'needle' }, [ben, anna])
    await finds(store, { search: 'needle', sort: 'oldest' }, [anna, ben])
    await finds(store, { search: 'needle', visibleTo: 'u-1' }, [anna])
    await finds(store, { search: 'needle', visibleTo: 'u-1', running: true }, [open, anna])
    await finds(store, { search: 'needle', tool: 'Pin' }, [ben])
    await finds(store, { search: 'needle pin' }, [ben])
    await finds(store, { search: 'needle', limit: 1 }, [ben])
    await finds(store, { search: 'needle', limit: 1, after: ben }, [anna])
    await finds(store, { search: 'needle', limit: 1, offset: 1 }, [anna])
    await finds(store, { search: 'needle', outcome: 'failed' }, [])
  })

  check('what is found follows what comes late, or replaces', async (store) => {
    const id = idAt(0)
    const [begun, asked, call, ended] = told({ id, prompt: 'first words', tools: ['Bash'] })
    if (!asked || !call || !ended) throw new Error('a plan of four records')
    await store.record([asked])
    await finds(store, { search: 'first', running: true }, [])
    await store.record([begun, ended])
    await finds(store, { search: 'first' }, [id])
    await store.record([{ ...call, late: true }])
    await finds(store, { search: 'first bash' }, [id])
    await store.record([{ ...asked, prompt: 'second words' } as typeof asked])
    await finds(store, { search: 'first' }, [])
    await finds(store, { search: 'second' }, [id])
  })
}
