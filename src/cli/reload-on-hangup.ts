import { isatty } from 'node:tty'
import { type ReloadOptions, reload } from '../server/reload.ts'

/** SIGHUP has the configuration read again; where it says that our terminal was closed, that is the end. */
export function reloadOnHangup(options: ReloadOptions): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd))
  process.on('SIGHUP', () => {
    // Nobody could reach a gateway any more that lives on when its window is gone.
    const closed = terminals.length > 0 && !terminals.some((fd) => isatty(fd))
    if (closed) process.kill(process.pid, 'SIGTERM')
    else reload(options)
  })
}
