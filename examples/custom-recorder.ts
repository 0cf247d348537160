// A recorder of your own: JSON lines in a file, on disk before the reply ends.
import { type FileHandle, open } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import Koa from 'koa'
import { anthropic, createGateway, type Plugin } from 'sluice'
import { capturers } from 'sluice/plugins/capturers'

/** Appends each record as one line. A line with the `id` of an earlier one replaces it. */
export function jsonLinesRecorder({ path }: { readonly path: string }): Plugin {
  let file: FileHandle | undefined
  return {
    name: 'json-lines-recorder',
    // `record` resolves when the batch is on disk, so the end of a reply waits for it.
    durable: true,
    open: async () => {
      file ??= await open(path, 'a', 0o600)
    },
    record: async (records) => {
      if (!file) throw new Error(`${path} is not open`)
      await file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
      await file.datasync()
    },
    close: async () => {
      await file?.close()
      file = undefined
    },
  }
}

if (import.meta.main) {
  const gateway = createGateway({
    providers: [
      anthropic({ baseUrl: process.env.ANTHROPIC_BASE_URL ?? 'https://api.anthropic.com' }),
    ],
    plugins: [...capturers(), jsonLinesRecorder({ path: 'records.jsonl' })],
    initiator: () => 'nobody',
  })
  const port = Number(process.env.PORT ?? 4000)
  const server = new Koa().use(gateway.middleware()).listen(port, '127.0.0.1')
  server.once('listening', () => {
    console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  })
  process.once('SIGINT', async () => {
    server.close()
    await gateway.close()
  })
}
