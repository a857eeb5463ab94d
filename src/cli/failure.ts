/** What a failed command says, as text and as JSON, and its exit code. */
import { errnoText } from '../errno.ts'
import { DecodeError, EncodeError, isNetlinkError, type NetlinkError } from '../errors.ts'
import { constantName } from '../schema/index.ts'
import { EXIT, NotRun, UsageError } from './exit.ts'

/** An error, told. */
export interface Failure {
  readonly exit: number
  readonly lines: readonly string[]
  /** What `-j` prints in place of the lines. */
  readonly json: Readonly<Record<string, unknown>>
}

/** What is known of the command that failed. */
export interface Circumstances {
  /** The whole command line, for hints that repeat it. */
  readonly argv: readonly string[]
  readonly hints: boolean
  /** What was asked of the kernel. */
  readonly request?: unknown
  /** Whether it failed before there was a kernel to talk to. */
  readonly isOpening?: boolean
}

const UNREACHABLE = new Set([
  'NETLINK_KERNEL',
  'NETLINK_NO_NATIVE',
  'NETLINK_PLATFORM',
  'NETLINK_CLOSED',
])

/** Attribute prefixes, by the object in a request's name. */
const PREFIXES: readonly (readonly [RegExp, string])[] = [
  [/LINK$/, 'IFLA_'],
  [/ADDR$/, 'IFA_'],
  [/ROUTE$/, 'RTA_'],
  [/NEIGH$/, 'NDA_'],
  [/RULE$/, 'FRA_'],
]

function exitOf(error: NetlinkError, isOpening: boolean): number {
  if (error.code === 'NETLINK_TIMEOUT') return EXIT.timeout
  if (isOpening || UNREACHABLE.has(error.code)) return EXIT.unreachable
  return EXIT.refused
}

/** The error's own sentence; the place in the request has a line of its own. */
function sentence(error: NetlinkError): string {
  const { extack, code } = error
  let text = error.message
  if (extack?.missing !== undefined) text = text.replace(`, ${extack.missing} is missing`, '')
  if (extack?.attribute) text = text.replace(` at ${extack.attribute}`, '')
  const words = errnoText(code)
  return extack?.message
    ? text
    : text.replace(words, words.charAt(0).toLowerCase() + words.slice(1))
}

/** `mtu` of RTM_SETLINK as `IFLA_MTU`; a path that goes further inward stays a path. */
function attributeName(request: string | undefined, path: string): string {
  const prefix = PREFIXES.find(([name]) => name.test(request ?? ''))?.[1]
  return prefix && /^[a-z]\w*$/i.test(path) ? constantName(prefix, path) : path
}

/** The value at `path` of what was asked. */
function valueAt(request: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null
          ? (value as Record<string, unknown>)[key]
          : undefined,
      request,
    )
}

function allowed(policy: NonNullable<NonNullable<NetlinkError['extack']>['policy']>): string {
  const { min, max, minLength, maxLength, mask, type } = policy
  if (min !== undefined || max !== undefined) return `${min ?? ''} … ${max ?? ''}`.trim()
  if (minLength !== undefined || maxLength !== undefined)
    return `${minLength ?? 0} … ${maxLength ?? ''} bytes (${type})`
  return mask === undefined ? type : `bits 0x${mask.toString(16)}`
}

function extackLines(error: NetlinkError, request: unknown): string[] {
  const { attribute, offset, policy, missing } = error.extack ?? {}
  const lines: string[] = []
  if (attribute) {
    const value = valueAt(request, attribute)
    const shown = ['string', 'number', 'bigint'].includes(typeof value) ? ` = ${value}` : ''
    const where = offset === undefined ? '' : `   (offset ${offset})`
    lines.push(`  attribute  ${attributeName(error.request, attribute)}${shown}${where}`)
  }
  if (missing !== undefined)
    lines.push(`  missing    ${attributeName(error.request, String(missing))}`)
  if (policy) lines.push(`  allowed    ${allowed(policy)}`)
  return lines
}

/** A word as a shell takes it. */
function quote(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** The command line without the kernel that it names. */
function withoutKernel(argv: readonly string[]): string[] {
  return argv.filter(
    (word, i) => word !== '--kernel' && argv[i - 1] !== '--kernel' && !word.startsWith('--kernel='),
  )
}

/** Without CAP_NET_ADMIN: the same command where it is not needed. */
function privilegeHint(argv: readonly string[]): string[] {
  const command = argv.map(quote).join(' ')
  const anywhere = withoutKernel(argv).map(quote).join(' ')
  const ways = [
    [`nlkit --kernel embedded ${anywhere}`, '(no root, this process only)'],
    [`unshare -rn nlkit ${command}`, '(own user+network namespace)'],
  ] as const
  const width = Math.max(...ways.map(([way]) => way.length))
  return [
    '  hint: needs CAP_NET_ADMIN. Try one of',
    ...ways.map(([way, about]) => `        ${way.padEnd(width)}   ${about}`),
  ]
}

function hintLines(error: NetlinkError, { argv, hints }: Circumstances): string[] {
  if (!hints) return []
  const isOwn = error.hint?.includes('CAP_NET_BROADCAST') === true
  if (error.code === 'EPERM' && error.extack?.message === undefined && !isOwn)
    return privilegeHint(argv)
  if (error.hint === undefined) return []
  return [error.hint.startsWith('did you mean') ? `  ${error.hint}` : `  hint: ${error.hint}`]
}

function netlinkFailure(error: NetlinkError, about: Circumstances): Failure {
  const { code, errno, extack, request, hint } = error
  return {
    exit: exitOf(error, about.isOpening === true),
    lines: [
      `error: ${sentence(error)}`,
      ...extackLines(error, about.request),
      ...hintLines(error, about),
    ],
    json: {
      code,
      errno,
      message: error.message,
      request,
      extack: extack && {
        ...extack,
        ...(extack.cookie ? { cookie: Buffer.from(extack.cookie).toString('hex') } : {}),
      },
      hint: about.hints ? hint : undefined,
    },
  }
}

/**
 * What to say of `error`; undefined for one that is nlkit's own fault. Values that a schema refuses
 * are the command line's, bytes that it cannot read are not.
 */
export function describeFailure(error: unknown, about: Circumstances): Failure | undefined {
  if (isNetlinkError(error)) return netlinkFailure(error, about)
  if (error instanceof UsageError || error instanceof EncodeError) {
    const hint = error instanceof UsageError && about.hints ? error.hint : undefined
    return {
      exit: EXIT.usage,
      lines: [`error: ${error.message}`, ...(hint === undefined ? [] : [`  ${hint}`])],
      json: { code: error.code, message: error.message, hint },
    }
  }
  if (error instanceof NotRun) {
    const hint = about.hints ? error.hint : undefined
    return {
      exit: error.exit,
      lines: [`error: ${error.message}`, ...(hint === undefined ? [] : [`  hint: ${hint}`])],
      json: { code: error.code, message: error.message, hint },
    }
  }
  if (error instanceof DecodeError)
    return {
      exit: EXIT.refused,
      lines: [`error: the kernel's reply makes no sense: ${error.message}`],
      json: { code: error.code, message: error.message },
    }
  return undefined
}
