import type { StoredInterception } from '../../core/recorder.ts'
import type { FeedPage, FeedQuery } from '../../core/store.ts'
import type { Holdings } from './holdings.ts'

/** What ended after the cursor; `store` names this store, so that another one's cursors are told. */
export function feedPage(
  holdings: Holdings,
  store: string,
  { after, visibleTo, limit = 100 }: FeedQuery,
): FeedPage {
  const { places } = holdings
  const cursor = (place: number) => `${store}.${place}`
  const now = { results: [], cursor: cursor(places.last) }
  if (after === undefined) return now
  const place = placeOf(after, store, places.last)
  if (place === null) return { ...now, gap: true }
  const ended = places
    .after(place)
    .map((each) => ({ cursor: cursor(each.place), interception: holdings.one(each.id) }))
    .flatMap(({ cursor, interception }) => (interception ? [{ cursor, interception }] : []))
    .filter(({ interception }) => (visibleTo ?? ownerOf(interception)) === ownerOf(interception))
  const results = ended.slice(0, limit)
  return {
    results,
    cursor: (ended.length > limit ? results.at(-1)?.cursor : undefined) ?? now.cursor,
    ...(places.isGap(place) && { gap: true }),
  }
}

function placeOf(cursor: string, store: string, last: number): number | null {
  const [, named, digits] = /^(.+)\.(\d{1,15})$/.exec(cursor) ?? []
  const place = Number(digits)
  return named === store && place <= last ? place : null
}

function ownerOf({ start }: StoredInterception): string {
  return start.initiatorId
}
