import { storeContract } from '../store-contract.ts'
import { inThreadStore } from './in-thread.ts'
import { newPath } from './stores.ts'

storeContract({
  name: 'SQLite without threads',
  create: () => inThreadStore(newPath()),
  histories: 100,
})
