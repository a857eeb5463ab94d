/**
 * Constants of a C header: enums and defines whose values can be worked out without a compiler.
 * What cannot (sizes, macros with arguments, constants of other headers) is left out.
 */

/** What stands between names and numbers. */
const TOKEN = /\s*(0[xX][\da-fA-F]+|\d+|[A-Za-z_]\w*|<<|>>|[()|&^~+*/%-])/y

/** Evaluates an expression of C; undefined where something in it is not known. */
class Reckoner {
  readonly #known: ReadonlyMap<string, bigint>
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string, known: ReadonlyMap<string, bigint>) {
    this.#known = known
    const plain = text.replace(/\b(0[xX][\da-fA-F]+|\d+)[uUlL]+\b/g, '$1').trim()
    TOKEN.lastIndex = 0
    for (let end = 0; end < plain.length; end = TOKEN.lastIndex) {
      const match = TOKEN.exec(plain)
      if (!match) throw new SyntaxError(plain)
      this.#tokens.push(match[1] as string)
    }
  }

  value(): bigint {
    const value = this.#binary(0)
    if (this.#at < this.#tokens.length) throw new SyntaxError('more')
    return value
  }

  #binary(level: number): bigint {
    const levels = [['|'], ['^'], ['&'], ['<<', '>>'], ['+', '-'], ['*', '/', '%']]
    const operators = levels[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    while (operators.includes(this.#tokens[this.#at] ?? '')) {
      const operator = this.#tokens[this.#at++] as string
      left = reckon(left, operator, this.#binary(level + 1))
    }
    return left
  }

  #unary(): bigint {
    const token = this.#tokens[this.#at++]
    if (token === '-') return -this.#unary()
    if (token === '~') return ~this.#unary()
    if (token === '+') return this.#unary()
    if (token === '(') {
      const inner = this.#binary(0)
      if (this.#tokens[this.#at++] !== ')') throw new SyntaxError('no )')
      return inner
    }
    if (token === undefined) throw new SyntaxError('nothing')
    if (/^\d/.test(token)) return /^0\d/.test(token) ? BigInt(`0o${token}`) : BigInt(token)
    if (this.#tokens[this.#at] === '(') return this.#macro(token)
    const known = this.#known.get(token)
    if (known === undefined) throw new SyntaxError(token)
    return known
  }

  /** The macros for one bit that uapi headers use. */
  #macro(name: string): bigint {
    if (!/^_?(BIT|BITUL|BITULL)$/.test(name)) throw new SyntaxError(name)
    return 1n << this.#unary()
  }
}

function reckon(a: bigint, operator: string, b: bigint): bigint {
  switch (operator) {
    case '|':
      return a | b
    case '^':
      return a ^ b
    case '&':
      return a & b
    case '<<':
      return a << BigInt.asUintN(7, b)
    case '>>':
      return a >> BigInt.asUintN(7, b)
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    default:
      return a % b
  }
}

function evaluate(text: string, known: ReadonlyMap<string, bigint>): bigint | undefined {
  try {
    return new Reckoner(text, known).value()
  } catch {
    return undefined
  }
}

function readEnum(body: string, known: Map<string, bigint>): void {
  let next: bigint | undefined = 0n
  for (const item of body.split(',')) {
    const [, name, text] = /^\s*([A-Za-z_]\w*)\s*(?:=\s*([\s\S]*?))?\s*$/.exec(item) ?? []
    if (name === undefined) continue
    const value: bigint | undefined = text === undefined ? next : evaluate(text, known)
    if (value !== undefined) known.set(name, value)
    next = value === undefined ? undefined : value + 1n
  }
}

/** The constants that the text of a header defines, by name. */
export function readHeader(text: string): Map<string, bigint> {
  const plain = text
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/.*$/gm, '')
    .replace(/\\\n/g, ' ')
  const known = new Map<string, bigint>()
  const parts = /^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)[ \t]+(.+)$|\benum\b[^{;]*\{([^}]*)\}/gm
  for (const [, name, value, body] of plain.matchAll(parts)) {
    // lines of the preprocessor inside an enum say what the enum says already
    if (body !== undefined) readEnum(body.replace(/^[ \t]*#.*$/gm, ''), known)
    else if (name !== undefined && value !== undefined) {
      const number = evaluate(value, known)
      if (number !== undefined) known.set(name, number)
    }
  }
  return known
}
