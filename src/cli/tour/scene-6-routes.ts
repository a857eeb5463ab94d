/** Scene 6: a daemon that watches IPv4 routes, and an ip(8) that does not know of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startDaemon } from '../../daemon/daemon.ts'
import { type Netlink, open, type Route } from '../../index.ts'
import { Kernel } from '../../kernel/index.ts'
import { newNetns } from '../../transport/netns.ts'
import { type Scene, SceneFailure, type Stage } from './scene.ts'
import { liveName, NLKIT, reasonOf } from './sides.ts'

const COMMANDS = [
  'route add 10.1.0.0/16 via 10.0.0.254',
  'route add 10.2.0.0/16 via 10.0.0.253 metric 5',
  'route add blackhole 10.3.0.0/16',
  'route replace 10.1.0.0/16 via 10.0.0.252',
  'route del 10.2.0.0/16',
  'route del 10.1.0.0/16',
] as const

/** What ip(8) is asked afterwards: it prints the answers, and the words of what is refused. */
const QUESTIONS = [
  'route show',
  'route show table local',
  'route get 10.0.0.9',
  'route get 10.3.0.1',
  'rule show',
  '-6 rule show',
  'route add 10.4.0.0/16 via 192.168.1.1',
  'route add 10.4.0.1/16 dev veth0',
  'route del 10.9.0.0/16',
  'address add 10.0.0.1/24 dev veth0',
  'link set dev veth0 mtu 60',
  'link add name veth0 type dummy',
] as const

/** What starts a program where the scene's network is. */
type Through = readonly string[]

/** What a program printed, and how it ended. */
interface Printed {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `ip -batch -`, to its end whatever is refused. Undefined when there is no such program. */
async function runIp(through: Through, lines: readonly string[]): Promise<Printed | undefined> {
  const [command = '', ...argv] = [...through, 'ip', '-force', '-batch', '-']
  const child = spawn(command, argv, { stdio: 'pipe' })
  // Without a program there is nobody who reads.
  child.stdin.on('error', () => undefined)
  child.stdin.end(`${lines.join('\n')}\n`)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part
  })
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part
  })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? 1, stdout, stderr }
  } catch {
    return undefined
  }
}

function words({ type, destination, gateway, priority }: Route): string {
  const kind = type === 'unicast' ? '' : `${type} `
  const via = gateway === undefined ? '' : ` via ${gateway}`
  return `${kind}${destination}${via}${priority === undefined ? '' : ` metric ${priority}`}`
}

/** What the daemon heard, and what ip(8) printed. */
interface Told {
  readonly heard: readonly string[]
  readonly printed: readonly string[]
}

/** What the daemon tells while ip(8) runs, and what ip(8) tells then. */
async function tellOf(stage: Stage, nl: Netlink, through: Through): Promise<Told> {
  const heard = await hear(stage, nl, through)
  const told = await runIp(through, QUESTIONS)
  const printed = [`exit ${told?.code}`, ...`${told?.stdout}${told?.stderr}`.split('\n')]
  return { heard, printed }
}

async function hear(stage: Stage, nl: Netlink, through: Through): Promise<string[]> {
  await nl.links.add({ ifname: 'veth0', kind: 'veth', peer: { ifname: 'veth1' } })
  await nl.links.set('veth0', { up: true })
  await nl.addresses.add({ link: 'veth0', address: '10.0.0.1/24' })
  const watch = nl.watch(['route'], { signal: stage.signal })
  await watch.ready
  const { code, stderr } = (await runIp(through, COMMANDS)) ?? {}
  stage.equal('what ip -batch ended with', { code, stderr }, { code: 0, stderr: '' })
  const told: string[] = []
  for await (const event of watch) {
    if (event.type !== 'route') continue
    const { route, op } = event
    if (route.family !== 'inet' || route.table !== 'main') continue
    told.push(`${op === 'new' ? 'added' : 'removed'} ${words(route)}`)
    if (told.length === COMMANDS.length) break
  }
  return told
}

async function onLinux(stage: Stage): Promise<Told | undefined> {
  try {
    using netns = newNetns()
    await using nl = await open({ netns })
    return await tellOf(stage, nl, ['nsenter', `--net=${netns.path}`])
  } catch (error) {
    if (stage.signal.aborted || error instanceof SceneFailure) throw error
    stage.say(`${liveName()}: not shown, ${reasonOf(error)}`, '')
    return undefined
  }
}

/** The program is `nlkit run`: it is ip(8) that runs in it, as it is. */
async function onNlkit(stage: Stage): Promise<Told> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-tour-'))
  await using kernel = new Kernel()
  const daemon = await startDaemon({ path: join(folder, 'kernel.sock'), kernel })
  try {
    await using nl = await open({ kernel })
    const main = fileURLToPath(new URL('../main.js', import.meta.url))
    const served = `unix:${daemon.path}`
    return await tellOf(stage, nl, [process.execPath, main, 'run', '--kernel', served, '--'])
  } finally {
    await daemon.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

export const scene: Scene = {
  number: '6',
  title: 'A daemon that watches routes, and the ip of this machine',
  async run(stage) {
    stage.code(`for await (const event of nl.watch(['route'])) …   // ip route add, replace, del`)
    if ((await runIp([], [])) === undefined) {
      stage.say('not shown, ip(8) is not installed')
      return
    }
    const nlkit = await onNlkit(stage)
    stage.columns(
      ['what ip was told to do', 'what the daemon heard'],
      COMMANDS.map((line, at) => [`ip ${line}`, nlkit.heard[at] ?? '']),
    )
    const linux = await onLinux(stage)
    if (linux) {
      stage.equalLists(`what ${liveName()} told`, linux.heard, nlkit.heard)
      stage.equalLists('what ip printed', linux.printed, nlkit.printed)
    }
    const where = linux ? `${liveName()} and ${NLKIT}, identical` : NLKIT
    stage.held(`${nlkit.heard.length} changes by an unmodified ip: ${where}`)
    stage.held(`what it prints of ${QUESTIONS.length} more commands, refused ones too: ${where}`)
  },
}
