import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { workFolder } from '../support/gateway-process.ts'
import { type Report, runRig } from './rig.ts'

export interface FullDiskOptions {
  /** How long the disk stays full, in ms. */
  readonly full: number
  /** @default SQLite, on the same disk */
  readonly store?: string
}

/** A small disk of its own. Undefined where this user may not mount one. */
export function smallDisk(megabytes: number): { folder: string; remove(): void } | undefined {
  const folder = workFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
      stdio: 'ignore',
    })
  } catch {
    return undefined
  }
  return {
    folder,
    remove() {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The disk fills up under load, the gateway is killed then, and finds room when it is started again. */
export async function fullDisk(disk: string, { full, store }: FullDiskOptions): Promise<Report> {
  const ballast = join(disk, 'ballast')
  return runRig(
    { killed: true, folder: disk, ...(store && { store }) },
    async ({ gateway, load }) => {
      await pause(500)
      fill(ballast)
      await gateway.line(/released unrecorded/)
      await pause(full)
      const wholeBefore = load.whole
      await gateway.end('SIGKILL')
      rmSync(ballast)
      await gateway.start()
      await pause(1000)
      return { fullSeconds: full / 1000, wholeBefore }
    },
  )
}

/** To the last byte, though the gateway writes meanwhile. */
function fill(ballast: string): void {
  const file = openSync(ballast, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(256 * 1024))
  } catch {
    // Full.
  } finally {
    closeSync(file)
  }
}
