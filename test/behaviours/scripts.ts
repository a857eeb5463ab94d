/**
 * One script of `ip` and `tc` commands, two kernels: the unmodified programs in a fresh namespace
 * of Linux and on nlkit's kernel, every word of theirs compared, and what `ip monitor` heard.
 */
import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { main } from '../cli.ts'

const LIMIT = 60_000

/** Whether a namespace is to be had, and iproute2. */
function missing(): string | undefined {
  if (spawnSync('sh', ['-c', 'command -v ip tc']).status !== 0) return 'needs ip(8) and tc(8)'
  const { status } = spawnSync('unshare', ['-n', 'true'])
  return status === 0 ? undefined : 'no network namespace here'
}

const absent = missing()

/** v0 and v1, a pair that is up, with an address of either family on v0 and no others. */
const NETWORK = `
ip link add v0 address 02:00:00:00:00:0a type veth peer name v1 address 02:00:00:00:00:0b
ip link set v0 addrgenmode none
ip link set v1 addrgenmode none
ip link set v0 up
ip link set v1 up
ip link set lo up
ip addr add 10.0.0.1/24 dev v0
ip -6 addr add fd00::1/64 dev v0 nodad
`

/** Each command is shown, then what it says, then how it ends. */
function shell(commands: string, monitor: string | undefined, heard: string): string {
  const lines = commands.trim().split('\n')
  const told = lines.map((line) => {
    const words = line.trim()
    return `echo '# ${words.replaceAll("'", '')}'\n${words}\necho "= $?"`
  })
  // The monitor has joined its groups when it has told of a link that is made for it.
  const watch = monitor
    ? `: > ${heard}; stdbuf -oL ip monitor link ${monitor} >> ${heard} 2>&1 & M=$!
n=0; until grep -q nlwait ${heard} || [ $n -gt 300 ]; do n=$((n+1)); ip link add nlwait type ifb; ip link del nlwait; sleep 0.02; done`
    : ''
  // It has heard all when it has told of another.
  const end = monitor
    ? `ip link add nlend type ifb
n=0; until grep -q nlend ${heard} || [ $n -gt 300 ]; do n=$((n+1)); sleep 0.02; done; kill $M`
    : ''
  return [NETWORK, watch, ...told, end].join('\n')
}

/** What moves by itself, or is chosen at random. */
function still(text: string): string[] {
  return text
    .replace(/(expires|idle_time|unbalanced_time) -?[\d.]+(sec)?/g, '$1 N')
    .replace(/link\/ether (?!02:00:00:00:00:0)[0-9a-f:]+/g, 'link/ether MAC')
    .split('\n')
}

/** Of what a monitor heard: what lies between the links that were made for it. */
function between(text: string): string {
  const lines = text.split('\n')
  const isFrame = (line: string): boolean => /nl(wait|end)/.test(line)
  const from = lines.findLastIndex((line) => line.includes('nlwait'))
  return (
    lines
      .slice(from + 1)
      .filter((line, i, all) => !isFrame(line) && !isFrame(all[i - 1] ?? ''))
      .filter((line) => !/^\s+link\//.test(line))
      // How many links were made before the monitor listened is chance.
      .map((line) => line.replace(/^(Deleted )?\d+: /, '$1N: '))
      .join('\n')
  )
}

function run(folder: string, side: string, command: string, words: string[], text: string): string {
  const file = join(folder, `${side}.sh`)
  writeFileSync(file, text)
  const result: SpawnSyncReturns<string> = spawnSync(command, [...words, 'sh', file], {
    encoding: 'utf8',
    timeout: LIMIT,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  assert.equal(result.error, undefined, `${side}: ${result.error?.message}`)
  return `${result.stdout}`
}

/** The first line that differs, with the command that it belongs to, tells more than all of them. */
function same(actual: readonly string[], expected: readonly string[], what: string): void {
  let command = ''
  for (const [i, line] of expected.entries()) {
    if (line.startsWith('# ')) command = line
    assert.equal(actual[i], line, `${what}, line ${i + 1}, behind ${command}`)
  }
  assert.equal(actual.length, expected.length, what)
}

/**
 * Registers a test that runs `commands`, one a line, on both kernels; both outputs must be equal.
 * `monitor` names what `ip monitor` listens to meanwhile. `least` is how many lines there must be.
 */
export function script(
  name: string,
  commands: string,
  { monitor, least = 1 }: { monitor?: string; least?: number } = {},
): void {
  test(name, absent ? { skip: absent } : {}, () => {
    const folder = mkdtempSync(join(tmpdir(), 'nlkit-script-'))
    try {
      const heard = (side: string): string => join(folder, `${side}.heard`)
      const redirect = 'exec 2>&1\n'
      const text = (side: string): string => redirect + shell(commands, monitor, heard(side))
      const linux = run(folder, 'linux', 'unshare', ['-n'], text('linux'))
      const words = [main, 'run', '--']
      const nlkit = run(folder, 'nlkit', process.execPath, words, text('nlkit'))
      const expected = still(linux)
      assert.ok(expected.length >= least, `Linux said ${expected.length} lines`)
      same(still(nlkit), expected, 'what the programs say')
      if (!monitor) return
      const [a, b] = ['nlkit', 'linux'].map((side) =>
        still(between(readFileSync(heard(side), 'utf8'))),
      )
      same(a as string[], b as string[], 'what ip monitor heard')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}
