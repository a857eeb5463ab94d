/** Finds and loads the native addon, or says which command makes it. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isAbsolute, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NetlinkError } from '../errors.ts'
import type { NativeSocket } from './native-socket.ts'

/** ADDON_VERSION of native/socket/addon.h. */
const ADDON_VERSION = 2

/** The machine, as far as loading depends on it. */
export interface Host {
  readonly platform: string
  readonly arch: string
  exists(path: string): boolean
  load(path: string): unknown
}

const thisHost: Host = {
  platform: process.platform,
  arch: process.arch,
  exists: existsSync,
  load: createRequire(import.meta.url),
}

const root = new URL('../../', import.meta.url)
let loaded: NativeSocket | undefined

/**
 * The addon for this machine, loaded once a thread.
 * @throws NetlinkError NETLINK_PLATFORM where there is no AF_NETLINK; NETLINK_NO_NATIVE where the
 * binary is missing, does not load or is of another version, with the command that makes it.
 */
export function loadAddon(host: Host = thisHost): NativeSocket {
  if (host !== thisHost) return load(host)
  loaded ??= load(host)
  return loaded
}

function load(host: Host): NativeSocket {
  if (host.platform !== 'linux')
    throw new NetlinkError('NETLINK_PLATFORM', {
      message: `the live kernel needs Linux; this is ${host.platform}`,
      hint: "nlkit's own kernel runs here: open({ kernel: new Kernel() })",
    })
  const target = `linux-${host.arch}`
  const binary = fileURLToPath(new URL(`native/socket/prebuilt/${target}.node`, root))
  if (!host.exists(binary)) throw noNative(`there is no native addon for ${target}`)
  const native = loadBinary(host, binary)
  if (native.version !== ADDON_VERSION)
    throw noNative(`the native addon is of version ${native.version}, not ${ADDON_VERSION}`)
  return native
}

function loadBinary(host: Host, binary: string): NativeSocket {
  try {
    return host.load(binary) as NativeSocket
  } catch (cause) {
    if ((cause as { code?: unknown } | undefined)?.code === 'ERR_DLOPEN_DISABLED')
      throw new NetlinkError('NETLINK_NO_NATIVE', {
        message: 'this process may load no native addons',
        hint: 'run node without --no-addons, and with --allow-addons under --permission',
        cause,
      })
    throw noNative(`the native addon ${binary} does not load`, cause)
  }
}

function noNative(what: string, cause?: unknown): NetlinkError {
  const script = fileURLToPath(new URL('scripts/build-native.mjs', root))
  const here = relative(process.cwd(), script)
  const command = `node ${here.startsWith('..') || isAbsolute(here) ? script : here}`
  return new NetlinkError('NETLINK_NO_NATIVE', {
    message: `${what}; this makes it: ${command}`,
    hint: command,
    cause,
  })
}
