/** The family `nlkit`, served: what the owner of a kernel may see and do from outside. */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { nlkit } from '../../families/nlkit.ts'
import type { ReplyInput } from '../../schema/index.ts'
import type { RegisteredFamily } from '../genetlink/registered-family.ts'
import type { Kernel } from '../kernel.ts'
import type { ModuleDefinition } from '../module/definition.ts'
import type { ModuleInfo } from '../module/list.ts'
import type { UserSocket } from '../netlink/user-socket.ts'
import type { LogEntry } from '../printk/log.ts'
import { chainRows } from './chains.ts'
import { Records } from './records.ts'

/** A recording that goes on. */
export interface Recording {
  /** Datagrams so far. */
  readonly count: number
  readonly failure: Error | undefined
  close(): void
}

/** What the kernel's surroundings do for it. */
export interface ControlHost {
  readonly version: string
  readonly pid: number
  /** Where it is served. */
  readonly path?: string
  /** How many clients are connected. */
  clients?(): number
  /** Reads a module from a file. @throws NetlinkError */
  loadModule(file: string): Promise<ModuleDefinition>
  /** Records what is said into a file. @throws NetlinkError the errno of open(2) */
  record(file: string): Recording
  /** Ends the kernel and what serves it; called when the answer is on its way. */
  stop(): void
}

type Entry = ReplyInput<typeof nlkit, 'getLog', 'dump'>
type SocketRow = ReplyInput<typeof nlkit, 'getSocket', 'dump'>
type InfoReply = ReplyInput<typeof nlkit, 'getModuleInfo'>

function describeEntry({ seq, level, time, text }: LogEntry): Entry {
  return { seq: BigInt(seq), level, time: BigInt(Math.floor(time * 1000)), text }
}

function describeSocket(sock: UserSocket): SocketRow {
  return {
    protocol: sock.protocol,
    portid: sock.portid,
    pid: Math.max(0, sock.credentials.pid),
    uid: sock.credentials.uid,
    groups: sock.groupMask,
    rmem: sock.queue.bytes,
    rcvbuf: sock.queue.limit,
    dump: sock.dump ? true : undefined,
    drops: sock.queue.drops,
    cookie: BigInt(sock.cookie),
    netns: BigInt(sock.net.cookie),
  }
}

function describeInfo({ version, params, ...info }: ModuleInfo): InfoReply {
  return {
    name: info.name,
    license: info.license,
    moduleVersion: version,
    description: info.description,
    author: info.author,
    depends: info.depends.length > 0 ? [...info.depends] : undefined,
    parm:
      params.length > 0
        ? params.map(({ name, type, description }) =>
            description ? `${name}:${description} (${type})` : `${name}:(${type})`,
          )
        : undefined,
  }
}

/** A refusal whose sentence goes to the client as its extack. */
function explain(error: unknown): unknown {
  if (!isNetlinkError(error) || error.extack || error.errno === undefined) return error
  const { code, message } = error
  const sentence = message.endsWith(` (${code})`) ? message.slice(0, -code.length - 3) : message
  return new NetlinkError(code, { extack: { message: sentence }, cause: error })
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(error)
  }
}

/**
 * Registers `nlkit` with `kernel`. What is logged from then on goes to its group `log`.
 * @throws NetlinkError EEXIST when it is registered already.
 */
export function registerControl(kernel: Kernel, host: ControlHost): RegisteredFamily<typeof nlkit> {
  const { loadModule } = host
  const records = new Records(kernel, host)
  const registered = kernel.genl.registerFamily(
    nlkit,
    {
      getStatus: {
        doit: () => ({
          pid: host.pid,
          version: host.version,
          path: host.path,
          uptime: BigInt(Math.floor(kernel.clock.monotonic())),
          clients: host.clients?.(),
        }),
      },
      stop: {
        doit() {
          host.stop()
          return undefined
        },
      },
      getModule: {
        *dumpit() {
          for (const { usedBy, ...module } of kernel.lsmod())
            yield { ...module, usedBy: usedBy.length > 0 ? [...usedBy] : undefined }
        },
      },
      newModule: {
        doit: ({ file, params = '' }, { credentials }) =>
          explained(async () => {
            const definition = await loadModule(file)
            const module = await kernel.insmod(definition, params, { credentials })
            return { name: module.name }
          }),
      },
      delModule: {
        doit: ({ name, force }, { credentials }) =>
          explained(async () => {
            await kernel.rmmod(name, { credentials, force: force === true })
            return undefined
          }),
      },
      getModuleInfo: {
        doit: ({ name, file }) =>
          explained(async () => {
            if (file !== undefined) return describeInfo(kernel.modinfo(await loadModule(file)))
            if (name !== undefined) return describeInfo(kernel.modinfo(name))
            throw new NetlinkError('EINVAL', { extack: { missing: 'name' } })
          }),
      },
      getLog: {
        *dumpit() {
          for (const entry of kernel.dmesg()) yield describeEntry(entry)
        },
      },
      clearLog: {
        doit() {
          kernel.log.clear()
          return undefined
        },
      },
      getChain: {
        *dumpit() {
          for (const { netns, ...row } of chainRows(kernel))
            yield { ...row, netns: netns === undefined ? undefined : BigInt(netns) }
        },
      },
      getSocket: {
        *dumpit() {
          for (const sock of kernel.netlink.sockets()) yield describeSocket(sock)
        },
      },
      getNetns: {
        *dumpit() {
          for (const { name, cookie } of kernel.nets()) yield { name, cookie: BigInt(cookie) }
        },
      },
      newNetns: {
        doit({ name }) {
          try {
            return { name, cookie: BigInt(kernel.addNet(name).cookie) }
          } catch (error) {
            throw explain(error)
          }
        },
      },
      newRecord: {
        doit({ file }, { sender }) {
          records.start(sender.cookie, file)
          return undefined
        },
      },
      delRecord: { doit: (_request, { sender }) => records.end(sender.cookie) },
      delNetns: {
        doit({ name }) {
          try {
            kernel.deleteNet(name)
          } catch (error) {
            throw explain(error)
          }
          return undefined
        },
      },
    },
    { resvStartOp: 1, groupCapabilities: { log: 'CAP_NET_ADMIN' }, parallelOps: true },
  )
  kernel.log.follow((entry) => {
    registered.notify('newLog', describeEntry(entry), { net: 'all' })
  })
  return registered
}
