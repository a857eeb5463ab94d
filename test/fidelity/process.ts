/** Runs a scenario's script in namespaces of its own, in which nothing outlives it. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { HEARD_FD, MONITOR_FD, marksIn } from './driver.ts'

/** `ip netns` keeps names in a folder; a scenario has one of its own. */
const OWN_NAMES = 'mkdir -p /run/netns && mount -t tmpfs none /run/netns'

const plain = { PATH: process.env.PATH, HOME: '/root', LC_ALL: 'C', TERM: 'dumb' }

/**
 * All that the script starts lives in a process namespace, which ends with its first process; and
 * that one dies with us, whatever ends us.
 */
const DIE_WITH_US = ['--pdeathsig', 'KILL']
const NAMESPACES = ['unshare', '-n', '-m', '-p', '--kill-child', '--mount-proc']

/** What passes by the shim may not change a network, not even that of its namespace. */
const WITHOUT_NETWORK = ['--bounding-set', '-net_admin', '--inh-caps', '-net_admin']

/** Bytes that a monitor may say. */
const MOST = 32 << 20

export interface Run {
  readonly script: string
  /** Behind the shim, by these variables; on Linux itself without. */
  readonly shim?: { readonly preload: string; readonly path: string } | undefined
  readonly env: Readonly<Record<string, string>>
  readonly seconds: number
}

function start({ script, shim, env }: Run): ChildProcess {
  const set = shim
    ? `export LD_PRELOAD='${shim.preload}' NLKIT_SHIM='${shim.path}' NLKIT_SHIM_BASE=$(readlink /proc/self/ns/net | tr -dc 0-9); `
    : ''
  // Bash stays in front as the first process of its namespace: it takes in what others leave.
  const inner = `${OWN_NAMES}; ${set}bash -c "$0"; exit $?`
  const privileges = [...DIE_WITH_US, ...(shim ? WITHOUT_NETWORK : [])]
  return spawn('setpriv', [...privileges, ...NAMESPACES, 'bash', '-c', inner, script], {
    env: { ...plain, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
}

/** Tells the script what its monitor was heard to say. @returns all of it so far */
function listen(child: ChildProcess): () => string {
  const monitor = child.stdio[MONITOR_FD] as Readable
  const heard = child.stdio[HEARD_FD] as Writable
  let text = ''
  let read = 0
  monitor.setEncoding('utf8').on('data', (part: string) => {
    if (text.length < MOST) text += part
    const { marks, end } = marksIn(text, read)
    read = end
    for (const mark of marks) heard.write(`${mark}\n`)
  })
  // The script may have ended; that is told by its exit.
  heard.on('error', () => {})
  monitor.on('error', () => {})
  return () => text
}

/**
 * Runs the script to its end.
 * @returns what its monitor said.
 * @throws Error when it does not end in time, or badly
 */
export async function runScript(run: Run): Promise<string> {
  const child = start(run)
  const said = listen(child)
  let complaint = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 2000)
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, run.seconds * 1000)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', resolve)
    })
    if (late) throw new Error(`did not end within ${run.seconds} s`)
    if (code !== 0) throw new Error(`the script ended with ${code}: ${complaint}`)
    return said()
  } finally {
    clearTimeout(timer)
    child.kill('SIGKILL')
    for (const stream of child.stdio) stream?.destroy()
  }
}
