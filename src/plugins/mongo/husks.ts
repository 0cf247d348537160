import { timeOf } from '../../core/ids.ts'
import type { Collections } from './collections.ts'
import { limitsId, readLimits } from './limits.ts'

/** How long somebody may take to make a digest of what is forgotten meanwhile. */
const keptMs = 60 * 60 * 1000
const atOnce = 1000

/** Removes the husks that nobody needs: of what was erased once its records would be refused for their age. */
export async function forgetHusks(collections: Collections): Promise<void> {
  const { digests, limits } = collections
  const { before } = await readLimits(collections)
  const filter = { goneAt: { $lt: new Date(Date.now() - keptMs) }, touches: { $exists: false } }
  const needless: string[] = []
  let gapTo = 0
  const forget = async () => {
    if (gapTo > 0) await limits.updateOne({ _id: limitsId }, { $max: { gapTo: new Date(gapTo) } })
    await digests.deleteMany({ _id: { $in: needless.splice(0) }, gone: { $exists: true } })
  }
  const projection = { gone: 1, fedAt: 1 } as const
  for await (const { _id, gone, fedAt } of digests.find(filter, { projection })) {
    if (gone === 'erased' && !(before && timeOf(_id) < before.getTime())) continue
    needless.push(_id)
    gapTo = Math.max(gapTo, fedAt?.getTime() ?? 0)
    if (needless.length >= atOnce) await forget()
  }
  if (needless.length > 0) await forget()
}
