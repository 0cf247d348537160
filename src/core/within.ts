/** True when the promise settles within `ms`. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false)
  })
  const settled = () => true
  const result = await Promise.race([promise.then(settled, settled), late])
  clearTimeout(timer)
  return result
}
