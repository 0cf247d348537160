import { workerData } from 'node:worker_threads'
import { openToRead, type StoreOptions } from './open-database.ts'
import { serve } from './serve.ts'
import { storeReader } from './store-reader.ts'

const options = workerData as StoreOptions
serve(options.path, () => {
  const database = openToRead(options)
  return { ...storeReader(database), close: () => database.close() }
})
