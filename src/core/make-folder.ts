import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and those above it that are missing, for their owner alone; tells the topmost that it made. Node's own
 * `recursive` never comes back where a file system answers ENOENT inside of a folder that is there, as `/proc` does.
 */
export function makeFolder(path: string): string | undefined {
  const missing = missingFolders(resolve(path))
  let made: string | undefined
  for (const folder of missing) {
    try {
      mkdirSync(folder, { mode: 0o700 })
      made ??= folder
    } catch (error) {
      // Another process was quicker.
      if (isFolder(folder)) continue
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw Object.assign(new Error(`${folder} is no folder`), { code: 'ENOTDIR' })
    }
  }
  return made
}

/** The topmost first. */
function missingFolders(path: string): string[] {
  const missing: string[] = []
  for (let at = path; !isFolder(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at)
  return missing
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
