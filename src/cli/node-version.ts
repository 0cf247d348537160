// The first that is evaluated: on an older Node some library fails with a stack of its own before anything of ours runs.
const needed = 24
const { node } = process.versions

if (Number.parseInt(node, 10) < needed) {
  process.stderr.write(
    `sluice: needs Node.js ${needed} or newer, and this is ${node}: install a newer one (https://nodejs.org)\n`,
  )
  process.exit(1)
}
