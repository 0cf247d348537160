/** How to tell a client, and where it says which session it is in. The first rule that matches wins. */
export interface ClientRule {
  readonly client: string
  /** Any of these must hold. */
  readonly when: readonly ClientCondition[]
  /** The client's own sources, tried before those that hold for all. @default [] */
  readonly session?: readonly SessionSource[]
  /** Its `prompt_cache_key` is its session; that of others is often one constant. @default false */
  readonly cacheKey?: boolean
}

/** All members that are given must hold. */
export interface ClientCondition {
  readonly userAgent?: RegExp
  /** Tested on lines `name: value`, names in lower case; with the flag `m`, so that `^` and `$` are a line's. */
  readonly header?: RegExp
  /** Tested on the beginning of the system prompt or instructions, see `systemText`. */
  readonly body?: RegExp
}

/** Plain data, so that rules can be sent to a worker. */
export type SessionSource =
  | { readonly header: string }
  /** Members from the top of the body, joined by dots. */
  | { readonly body: string }
  /** The same, of a member as Claude Code fills it: JSON with a `session_id`, or text with `_session_<id>`. */
  | { readonly userId: string }

const vendorSdk = /^(Anthropic|OpenAI)\/JS /

/** Observed on the wire, see `docs/clients.md`: agents first, the SDKs that many of them are built on last. */
export const clientRules: readonly ClientRule[] = [
  {
    client: 'Mux',
    when: [{ userAgent: /^(mux|xum)\//i }],
    session: [{ header: 'x-mux-workspace-id' }],
  },
  {
    client: 'Claude Code',
    when: [{ userAgent: /^claude/i }, { header: /^x-claude-code-session-id: ./m }],
    session: [{ header: 'x-claude-code-session-id' }, { userId: 'metadata.user_id' }],
  },
  {
    client: 'Codex',
    when: [{ userAgent: /^codex/i }, { header: /^originator: codex_/m }],
    session: [
      { header: 'session-id' },
      { header: 'session_id' },
      { body: 'client_metadata.session_id' },
    ],
    cacheKey: true,
  },
  { client: 'Zed', when: [{ userAgent: /^zed\//i }] },
  {
    client: 'GitHub Copilot (VS Code)',
    when: [{ userAgent: /^githubcopilotchat\//i }],
    session: [{ header: 'x-interaction-id' }],
  },
  {
    client: 'GitHub Copilot (CLI)',
    when: [
      { userAgent: /^copilot\//i },
      // With a provider of its own it is a vendor's SDK by its User-Agent.
      { userAgent: vendorSdk, header: /^x-initiator: (user|agent)$/m },
      { userAgent: vendorSdk, header: /^x-interaction-type: conversation-/m },
      { userAgent: vendorSdk, body: /^You are the GitHub Copilot CLI\b/m },
    ],
    session: [{ header: 'x-client-session-id' }],
    cacheKey: true,
  },
  {
    // Before OpenCode, whose fork it is: by its Responses requests' User-Agent it is `opencode/`.
    client: 'Kilo Code',
    when: [
      { userAgent: /^kilo(-code)?\//i },
      { header: /^originator: kilo-code$/m },
      { header: /^x-title: Kilo Code$/m },
      { header: /^http-referer: https:\/\/kilocode\.ai(\/|$)/m },
    ],
    session: [{ header: 'x-kilocode-taskid' }],
    cacheKey: true,
  },
  {
    client: 'Roo Code',
    when: [
      { userAgent: /^roo-?code\//i },
      { header: /^originator: roo-code$/m },
      { header: /^x-title: Roo Code$/m },
    ],
  },
  {
    client: 'Coder Agents',
    when: [{ userAgent: /^coder-agents\//i }],
    session: [{ header: 'x-coder-chat-id' }],
  },
  { client: 'Charm Crush', when: [{ userAgent: /^charm[ -]crush\//i }] },
  { client: 'Cursor', when: [{ header: /^x-cursor-client-version: ./m }] },
  {
    client: 'OpenCode',
    when: [{ userAgent: /^opencode\//i }],
    session: [{ header: 'x-opencode-session' }, { header: 'x-session-affinity' }],
    cacheKey: true,
  },
  { client: 'Junie', when: [{ userAgent: /^junie:/i }] },
  { client: 'Qwen Code', when: [{ userAgent: /^qwencode\//i }] },
  {
    client: 'pi',
    when: [
      { header: /^originator: pi$/m },
      { userAgent: vendorSdk, body: /^You are an expert coding assistant operating inside pi\b/m },
    ],
    cacheKey: true,
  },
  { client: 'Vercel AI SDK', when: [{ userAgent: /^ai(\/\d|-sdk[-/])/ }] },
  { client: 'LangChain', when: [{ userAgent: /^langchain/i }] },
  { client: 'Anthropic SDK', when: [{ userAgent: /^(Async)?Anthropic\w*\// }] },
  { client: 'OpenAI SDK', when: [{ userAgent: /^(Async)?(Azure)?OpenAI\w*\// }] },
]

/** Any client may name its session so; tried after its own sources, in this order. */
export const commonSessionSources: readonly SessionSource[] = [
  { header: 'x-session-id' },
  { header: 'session-id' },
  { header: 'session_id' },
]
