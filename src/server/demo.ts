import { setTimeout as sleep } from 'node:timers/promises'
import { type FakeUpstream, fakeUpstream } from '../simulator/server.ts'
import { anthropicSdk, claudeCode, codex, copilot, openaiSdk, openCode } from './demo-clients.ts'
import { converse, type DemoConversation } from './demo-conversation.ts'

export interface DemoOptions {
  /** The running gateway, with providers `anthropic` and `openai` that are the demo's. */
  readonly url: string
  /** Ends it. */
  readonly signal: AbortSignal
  /** Milliseconds between two conversations once the first ones have been held. @default 15000 */
  readonly every?: number
  /** Learns why a conversation could not be held. @default nobody */
  readonly onError?: (error: unknown) => void
}

export interface Demo {
  /** The first conversations, some forty requests, have been held. */
  readonly begun: Promise<void>
  /** All is over, which is soon after the signal. */
  readonly ended: Promise<void>
}

/** The simulated provider of the demo, at the pace of a quick model; for `/anthropic` as for `/openai`. */
export function demoProvider(): Promise<FakeUpstream> {
  return fakeUpstream({ freshIds: true, keepRequests: false, reply: { pause: 150, delay: 12 } })
}

/** Sample traffic of several users and clients: a batch at once, then now and then another conversation. */
export function startDemo({ url, signal, every = 15_000, onError = () => {} }: DemoOptions): Demo {
  const hold = (conversation: DemoConversation) =>
    converse(url, conversation, signal).catch((error: unknown) => {
      if (!signal.aborted) onError(error)
    })
  const begun = Promise.all(conversations.map(hold)).then(() => {})
  return { begun, ended: begun.then(goOn) }

  async function goOn(): Promise<void> {
    for (let count = 0; !signal.aborted; count++) {
      await sleep(every, undefined, { signal }).catch(() => {})
      const next = conversations[count % conversations.length]
      if (next && !signal.aborted) await hold(next)
    }
  }
}

const conversations: readonly DemoConversation[] = [
  {
    user: 'alice',
    client: claudeCode,
    prompts: [
      'Run the tests and tell me what fails.',
      'Use the Read tool on src/parser.ts.',
      'Use the Edit tool to mend src/parser.ts.',
      'Thanks. Why did the last line get lost?',
    ],
  },
  {
    user: 'bob',
    client: codex,
    prompts: [
      'List the files here and say what each is for.',
      'Execute the build, twice.',
      'What would you tidy up first?',
    ],
  },
  {
    user: 'carol',
    client: openCode,
    prompts: [
      'Where do we still have a TODO? Use the grep tool.',
      'Run the program with another port.',
      'Explain the difference between a queue and a stack.',
    ],
  },
  {
    user: 'dave',
    client: copilot,
    prompts: ['Run the linter.', 'Use the view tool on NOTES.md.'],
  },
  {
    user: 'shop-backend',
    client: anthropicSdk,
    prompts: ['What has become of order 4711? Look up its invoice too.', 'And order 4712?'],
  },
  {
    user: 'help-desk',
    client: openaiSdk,
    prompts: ['Search the tickets about the printer.', 'Search the tickets about the door.'],
  },
  {
    user: 'alice',
    client: claudeCode,
    prompts: ['How do I read a file line by line?', 'And backwards?'],
    simulate: 'status=529',
  },
  {
    user: 'carol',
    client: codex,
    prompts: ['Compare these two designs for the cache.'],
    leaveAfter: 20,
  },
  {
    user: 'bob',
    client: openCode,
    prompts: ['Write a haiku about rivers.', 'Another one, about gold.'],
    simulate: 'status=429',
  },
  {
    user: 'dave',
    client: copilot,
    prompts: ['Summarise what changed since yesterday.'],
    simulate: 'cut=9',
  },
]
