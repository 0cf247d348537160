import { shortKey } from './short-key.ts'

/** Annotations as a document has them and a query looks for them: strangers choose names that MongoDB refuses. */
export function annotationMember(annotations: Readonly<Record<string, string>>): string[] {
  return Object.entries(annotations).map((pair) => shortKey(JSON.stringify(pair)))
}
