import { spawn } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'
import { fakeUpstream } from '../src/simulator/server.ts'

const folder = import.meta.dirname
const names = globSync('*.ts', { cwd: folder })
  .map((file) => basename(file, '.ts'))
  .filter((name) => name !== 'run')
  .sort()

const headers = {
  'content-type': 'application/json',
  'x-api-key': process.env.ANTHROPIC_API_KEY ?? 'sk-demo',
  'x-sluice-user': 'alice',
  'x-sluice-token': 'token-of-alice',
}
const body = JSON.stringify({
  model: 'claude-sonnet-4-5',
  max_tokens: 1000,
  stream: true,
  messages: [{ role: 'user', content: 'What is Sluice?' }],
})

const [name = ''] = process.argv.slice(2)
if (names.includes(name)) await run(name)
else {
  const about = (each: string) => readFileSync(`${folder}/${each}.ts`, 'utf8').split('\n')[0]
  const list = names.map((each) => `  ${each.padEnd(18)}${about(each)?.slice(3)}`)
  console.log(`npm run example -- NAME\n\n${list.join('\n')}`)
  process.exitCode = name === '' ? 0 : 1
}

/** Serves until Ctrl-C. Without a key or an address of a provider: a simulated one, and one sample request. */
async function run(example: string): Promise<void> {
  const own = ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'OPENAI_API_KEY', 'OPENAI_BASE_URL']
  const simulated = own.every((variable) => !process.env[variable])
  const provider = simulated ? await fakeUpstream({ reply: { pause: 50, delay: 5 } }) : undefined
  const urls = provider && { ANTHROPIC_BASE_URL: provider.url, OPENAI_BASE_URL: provider.url }

  const child = spawn(
    process.execPath,
    ['--import', `${folder}/runner/from-source.ts`, `${folder}/${example}.ts`],
    { env: { ...process.env, ...urls }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  // Ctrl-C reaches the example by itself; what asks only this process to stop is passed on.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGINT'))
  process.on('exit', () => child.kill('SIGKILL'))
  child.once('close', (code) => {
    void provider?.close()
    process.exitCode = code ?? 1
  })
  for await (const line of createInterface(child.stdout)) {
    console.log(line)
    const [, url] = /^listening on (\S+)/.exec(line) ?? []
    if (!url) continue
    console.log(`\nAsk it (Ctrl-C ends it):\n\n${curl(url)}\n`)
    if (provider) await sample(url, example)
  }
}

function curl(url: string): string {
  const shown = {
    ...headers,
    'x-api-key': process.env.ANTHROPIC_API_KEY ? '$ANTHROPIC_API_KEY' : 'sk-demo',
  }
  const options = Object.entries(shown).map(([name, value]) => `  -H "${name}: ${value}" \\`)
  return [`curl -N ${url}/anthropic/v1/messages \\`, ...options, `  -d '${body}'`].join('\n')
}

async function sample(url: string, example: string): Promise<void> {
  const reply = await fetch(`${url}/anthropic/v1/messages`, { method: 'POST', headers, body })
  const { length } = await reply.bytes()
  const id = reply.headers.get('x-sluice-interception-id')
  console.log(
    `The simulated provider answered: ${reply.status}, ${length} bytes, interception ${id}`,
  )
  if (example !== 'mount') return
  const usage = await fetch(new URL('/usage', url), { headers })
  console.log(`/usage says ${await usage.text()}`)
}
