/**
 * Values as JSON. Bigints are numbers, all their digits, as `ip -j` has them; bytes are hexadecimal.
 */

/** `value` as one line of JSON; members that are undefined are left out. */
export function toJson(value: unknown): string {
  return isScalar(value) ? scalarJson(value) : compoundJson(plain(value), ',', '', '')
}

/** The same for eyes: a member to a line. */
export function toIndentedJson(value: unknown, margin = ''): string {
  if (isScalar(value)) return scalarJson(value)
  const inner = `${margin}  `
  return compoundJson(plain(value), `,\n${inner}`, `\n${inner}`, `\n${margin}`)
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null || value instanceof Uint8Array
}

function scalarJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('hex')}"`
  return JSON.stringify(value) ?? 'null'
}

/** What an object says of itself, if it has a word of its own. */
function plain(value: unknown): object {
  const { toJSON } = value as { toJSON?: () => object }
  return typeof toJSON === 'function' ? toJSON.call(value) : (value as object)
}

function compoundJson(value: object, comma: string, first: string, last: string): string {
  const isIndented = first !== ''
  const margin = isIndented ? first.slice(1) : ''
  const inner = (each: unknown) => (isIndented ? toIndentedJson(each, margin) : toJson(each))
  const members = Array.isArray(value)
    ? value.map(inner)
    : Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([name, each]) => `${JSON.stringify(name)}:${isIndented ? ' ' : ''}${inner(each)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return members.length === 0
    ? `${open}${close}`
    : open + first + members.join(comma) + last + close
}
