import { workerData } from 'node:worker_threads'
import { openToRead, type StoreOptions } from './open-database.ts'
import { recordReader } from './record-reader.ts'
import { type Methods, serve } from './serve.ts'

const options = workerData as StoreOptions
serve(options.path, () => open(options))

function open(options: StoreOptions): Methods {
  const database = openToRead(options)
  const { page, one } = recordReader(database)
  return { page, one, close: () => database.close() }
}
