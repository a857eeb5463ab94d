/** Lengths and limits of a spec: numbers, constants, one less than a constant, `u16-max`. */
import type { Constant, Ref, Spec } from './model.ts'

/** `u8-max`, `s32-min` and kin. */
function naturalLimit(text: string): bigint | undefined {
  const [, sign, bits, end] = /^([us])(8|16|32|64)-(min|max)$/.exec(text) ?? []
  if (bits === undefined) return undefined
  const span = 1n << BigInt(bits)
  if (sign === 'u') return end === 'min' ? 0n : span - 1n
  return end === 'min' ? -span / 2n : span / 2n - 1n
}

/** The value of a limit, or undefined when there is no constant of that name. */
export function limitOf(spec: Spec, { text }: Ref): bigint | undefined {
  if (/^-?\d+$/.test(text) || /^0x[\da-f]+$/i.test(text)) return BigInt(text)
  const natural = naturalLimit(text)
  if (natural !== undefined) return natural
  const [, name, less] = /^(.*?)( - 1)?$/.exec(text) ?? []
  const constant = constantOf(spec, name ?? text)
  if (constant?.value === undefined) return undefined
  return BigInt(constant.value) - (less === undefined ? 0n : 1n)
}

/** The constant `name`, which may stand there with its prefix. */
export function constantOf(spec: Spec, name: string): Constant | undefined {
  const definition = spec.definitions.get(name)
  if (definition?.kind === 'const') return definition
  for (const each of spec.definitions.values())
    if (each.kind === 'const' && `${each.prefix ?? ''}${each.name}` === name) return each
  return undefined
}

/** As `limitOf`, for lengths, which `check` has seen to be there. */
export function lengthOf(spec: Spec, ref: Ref): number {
  return Number(limitOf(spec, ref) ?? 0n)
}
