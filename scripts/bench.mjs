/**
 * Runs benches: `npm run bench -- WORKLOAD… [--json]`; without a workload all of them, with `--list`
 * none. Each is a
 * program of its own that tells at its top what it measures, beside what, and what it needs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const words = process.argv.slice(2)
const options = words.filter((word) => word.startsWith('-'))
const wanted = words.filter((word) => !word.startsWith('-'))

/** The first sentence of what a bench says of itself; undefined for what is no bench. */
function aboutOf(name) {
  const text = readFileSync(join(root, 'bench', `${name}.ts`), 'utf8')
  const comment = /^\/\*\*(.*?)\*\//s.exec(text)?.[1] ?? ''
  if (!comment.includes(`build/bench/${name}.js`)) return undefined
  return comment
    .replace(/\s*\n \*\s?/g, ' ')
    .trim()
    .split(/[.:] /, 1)[0]
}

const benches = new Map(
  readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3))
    .map((name) => [name, aboutOf(name)])
    .filter(([, about]) => about !== undefined),
)

if (options.includes('--list')) {
  for (const [name, about] of benches) console.log(`${name.padEnd(10)} ${about}`)
  process.exit(0)
}
const unknown = wanted.filter((name) => !benches.has(name))
if (unknown.length > 0) {
  console.error(`no bench: ${unknown.join(', ')}; there are ${[...benches.keys()].join(', ')}`)
  process.exit(2)
}
for (const name of wanted.length > 0 ? wanted : benches.keys()) {
  const program = join(root, 'build/bench', `${name}.js`)
  if (!existsSync(program)) throw new Error(`${program} is not compiled`)
  const { status } = spawnSync(process.execPath, ['--expose-gc', program, ...options], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}
