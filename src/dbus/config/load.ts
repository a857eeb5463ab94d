/**
 * Reads configuration files: the elements of dbus-daemon(1), with what they include.
 *
 * What comes later wins; lists grow.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DEFAULT_LIMITS } from '../bus/limits.ts'
import type { Identities, PolicyContext, PolicyRule } from '../policy/rule.ts'
import { type Config, ConfigError, type ServiceDirectory } from './config.ts'
import { systemIdentities } from './identities.ts'
import { enterLimit, type LimitDraft } from './limit-names.ts'
import { parseRule } from './policy-rules.ts'
import { sessionServiceDirectories, systemServiceDirectories } from './service-directories.ts'
import { type Element, parseXml } from './xml.ts'

type Lists = 'files' | 'listen' | 'auth' | 'serviceDirectories' | 'policies' | 'warnings'
type Draft = { -readonly [name in Exclude<keyof Config, Lists | 'limits'>]: Config[name] } & {
  readonly [name in Lists]: Config[name][number][]
} & { readonly limits: LimitDraft }

/** What is read, and where: the state of one file. */
interface Reading {
  readonly draft: Draft
  readonly identities: Identities
  readonly file: string
  /** The files that include this one, outermost first, itself last. */
  readonly chain: readonly string[]
}

/**
 * The configuration that begins in `path`.
 * @throws ConfigError with file and line.
 */
export function loadBusConfig(path: string, identities = systemIdentities()): Config {
  const file = resolve(path)
  const draft: Draft = {
    file,
    files: [],
    type: undefined,
    user: undefined,
    fork: false,
    keepUmask: false,
    syslog: false,
    allowAnonymous: false,
    pidfile: undefined,
    listen: [],
    auth: [],
    serviceDirectories: [],
    serviceHelper: undefined,
    limits: {},
    policies: [],
    warnings: [],
  }
  readFile(draft, identities, file, [])
  return { ...draft, limits: { ...DEFAULT_LIMITS, ...draft.limits } }
}

function readFile(
  draft: Draft,
  identities: Identities,
  file: string,
  chain: readonly string[],
): void {
  let source: string
  try {
    source = readFileSync(file, 'utf8')
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new ConfigError(file, 0, `cannot be read: ${code || message}`, 'CONFIG_UNREADABLE')
  }
  const root = parseXml(source, file)
  const reading: Reading = { draft, identities, file, chain: [...chain, file] }
  if (root.name !== 'busconfig')
    fail(reading, root, `Unknown element <${root.name}> at root of configuration file`)
  draft.files.push(file)
  attributes(reading, root, [])
  withoutText(reading, root)
  for (const element of root.children) enter(reading, element)
}

function fail({ file }: Reading, { line }: Element, message: string): never {
  throw new ConfigError(file, line, message)
}

/** Its attributes, which may only be these. */
function attributes(reading: Reading, element: Element, known: readonly string[]) {
  for (const name of element.attributes.keys())
    if (!known.includes(name))
      fail(
        reading,
        element,
        `Attribute "${name}" is invalid on <${element.name}> element in this context`,
      )
  return element.attributes
}

function withoutText(reading: Reading, element: Element): void {
  if (element.text.trim() !== '')
    fail(reading, element, `No text content expected inside XML element ${element.name}`)
}

/** An element that says something by being there. */
function empty(reading: Reading, element: Element): true {
  attributes(reading, element, [])
  withoutText(reading, element)
  withoutChildren(reading, element)
  return true
}

function withoutChildren(reading: Reading, element: Element): void {
  const [child] = element.children
  if (child) fail(reading, child, `Element <${child.name}> not allowed inside <${element.name}>`)
}

/** An element whose text is what it says. */
function content(reading: Reading, element: Element, known: readonly string[] = []): string {
  attributes(reading, element, known)
  withoutChildren(reading, element)
  if (element.text === '')
    fail(reading, element, `XML element <${element.name}> was expected to have content inside it`)
  return element.text
}

type Handler = (reading: Reading, element: Element) => void

const HANDLERS: Readonly<Record<string, Handler>> = {
  type: (reading, element) => {
    reading.draft.type = content(reading, element)
  },
  user: (reading, element) => {
    reading.draft.user = content(reading, element)
  },
  pidfile: (reading, element) => {
    reading.draft.pidfile = content(reading, element)
  },
  servicehelper: (reading, element) => {
    reading.draft.serviceHelper = pathOf(reading, content(reading, element))
  },
  fork: (reading, element) => {
    reading.draft.fork = empty(reading, element)
  },
  keep_umask: (reading, element) => {
    reading.draft.keepUmask = empty(reading, element)
  },
  syslog: (reading, element) => {
    reading.draft.syslog = empty(reading, element)
  },
  allow_anonymous: (reading, element) => {
    reading.draft.allowAnonymous = empty(reading, element)
  },
  listen: (reading, element) => void reading.draft.listen.push(content(reading, element)),
  auth: (reading, element) => void reading.draft.auth.push(content(reading, element)),
  servicedir(reading, element) {
    const path = pathOf(reading, content(reading, element))
    addServiceDirectories(reading, [{ path, strictNames: false, transient: false }])
  },
  standard_session_servicedirs(reading, element) {
    empty(reading, element)
    addServiceDirectories(reading, sessionServiceDirectories(process.env))
  },
  standard_system_servicedirs(reading, element) {
    empty(reading, element)
    addServiceDirectories(reading, systemServiceDirectories())
  },
  include,
  includedir: includeDirectory,
  limit,
  policy,
  selinux,
  apparmor,
}

function enter(reading: Reading, element: Element): void {
  const handler = Object.hasOwn(HANDLERS, element.name) ? HANDLERS[element.name] : undefined
  if (!handler) fail(reading, element, `Element <${element.name}> not allowed inside <busconfig>`)
  else handler(reading, element)
}

/** A path of the configuration: relative ones count from the file's directory. */
function pathOf({ file }: Reading, path: string): string {
  return resolve(dirname(file), path)
}

/** A directory that is named again stays where it was named first. */
function addServiceDirectories({ draft }: Reading, added: readonly ServiceDirectory[]): void {
  for (const one of added)
    if (!draft.serviceDirectories.some(({ path }) => path === one.path))
      draft.serviceDirectories.push(one)
}

function yesOrNo(reading: Reading, element: Element, attribute: string): boolean {
  const value = element.attributes.get(attribute) ?? 'no'
  if (value !== 'yes' && value !== 'no')
    fail(reading, element, `${attribute} attribute must have value "yes" or "no"`)
  return value === 'yes'
}

function include(reading: Reading, element: Element): void {
  const path = content(reading, element, [
    'ignore_missing',
    'if_selinux_enabled',
    'selinux_root_relative',
  ])
  const mayBeMissing = yesOrNo(reading, element, 'ignore_missing')
  const wantsSelinux = yesOrNo(reading, element, 'if_selinux_enabled')
  const isSelinuxPath = yesOrNo(reading, element, 'selinux_root_relative')
  if (wantsSelinux || isSelinuxPath) return
  const file = pathOf(reading, path)
  if (reading.chain.includes(file)) fail(reading, element, `Circular inclusion of file '${file}'`)
  try {
    readFile(reading.draft, reading.identities, file, reading.chain)
  } catch (error) {
    const isMissing =
      error instanceof ConfigError && error.code === 'CONFIG_UNREADABLE' && error.file === file
    if (!(mayBeMissing && isMissing)) throw error
  }
}

/** All `*.conf` of a directory; one that cannot be taken is passed over, as the reference does. */
function includeDirectory(reading: Reading, element: Element): void {
  const directory = pathOf(reading, content(reading, element))
  let names: string[]
  try {
    names = readdirSync(directory).sort()
  } catch {
    return
  }
  for (const name of names)
    if (name.endsWith('.conf')) includeOptional(reading, join(directory, name))
}

function includeOptional(reading: Reading, file: string): void {
  if (reading.chain.includes(file)) return
  try {
    loadBusConfig(file, reading.identities)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    reading.draft.warnings.push(`${error.message}; the file is passed over`)
    return
  }
  readFile(reading.draft, reading.identities, file, reading.chain)
}

function limit(reading: Reading, element: Element): void {
  const text = content(reading, element, ['name'])
  const name = element.attributes.get('name')
  if (name === undefined) fail(reading, element, '<limit> element must have a "name" attribute')
  else {
    const fault = enterLimit(reading.draft.limits, name, text)
    if (fault !== undefined) fail(reading, element, fault)
  }
}

function policy(reading: Reading, element: Element): void {
  const given = attributes(reading, element, ['context', 'user', 'group', 'at_console'])
  withoutText(reading, element)
  if (given.size !== 1)
    fail(
      reading,
      element,
      '<policy> element must have exactly one of (context|user|group|at_console) attributes',
    )
  const context = contextOf(reading, element)
  const rules: PolicyRule[] = []
  for (const child of element.children) {
    const rule = ruleOf(reading, child)
    if (!rule || !context) continue
    const isGlobal = rule.kind === 'user' || rule.kind === 'group'
    if (isGlobal && context.kind !== 'default' && context.kind !== 'mandatory')
      fail(
        reading,
        child,
        `<${child.name}> rule cannot be per-${context.kind} because it has bus-global semantics`,
      )
    rules.push(rule)
  }
  if (context) reading.draft.policies.push({ context, rules })
}

function ruleOf(reading: Reading, element: Element): PolicyRule | undefined {
  if (element.name !== 'allow' && element.name !== 'deny')
    fail(reading, element, `Element <${element.name}> not allowed inside <policy>`)
  withoutText(reading, element)
  withoutChildren(reading, element)
  return parseRule(
    element,
    reading.identities,
    (message) => fail(reading, element, message),
    (message) => reading.draft.warnings.push(`${reading.file}:${element.line}: ${message}`),
  )
}

/** Undefined, with a warning, for a user or group that nobody is. */
function contextOf(reading: Reading, element: Element): PolicyContext | undefined {
  const [[attribute, value]] = [...element.attributes] as [[string, string]]
  if (attribute === 'context') {
    if (value === 'default' || value === 'mandatory') return { kind: value }
    fail(
      reading,
      element,
      `context attribute on <policy> must have the value "default" or "mandatory", not "${value}"`,
    )
  }
  if (attribute === 'at_console') {
    if (value === 'true' || value === 'false')
      return { kind: 'console', atConsole: value === 'true' }
    fail(reading, element, `Unknown value "${value}" for at_console`)
  }
  const isUser = attribute === 'user'
  const id = isUser ? reading.identities.uidOf(value) : reading.identities.gidOf(value)
  if (id !== undefined) return isUser ? { kind: 'user', uid: id } : { kind: 'group', gid: id }
  const what = isUser ? 'username' : 'group'
  reading.draft.warnings.push(
    `${reading.file}:${element.line}: Unknown ${what} "${value}" in message bus configuration file`,
  )
  return undefined
}

/** SELinux contexts are judged and have no effect: labels pass through, nothing asks for them. */
function selinux(reading: Reading, element: Element): void {
  attributes(reading, element, [])
  withoutText(reading, element)
  for (const child of element.children) {
    if (child.name !== 'associate')
      fail(reading, child, `Element <${child.name}> not allowed inside <selinux>`)
    const given = attributes(reading, child, ['own', 'context'])
    for (const name of ['own', 'context'])
      if (!given.has(name)) fail(reading, child, `Element <associate> must have attribute ${name}`)
  }
}

function apparmor(reading: Reading, element: Element): void {
  const mode = attributes(reading, element, ['mode']).get('mode') ?? 'enabled'
  withoutText(reading, element)
  withoutChildren(reading, element)
  if (!['enabled', 'disabled', 'required'].includes(mode))
    fail(reading, element, `Unknown mode "${mode}" on <apparmor>`)
}
