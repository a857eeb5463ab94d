/** Structs: members where C puts them, with the padding that specs leave out. */
import {
  call,
  type Entry,
  type Expression,
  literal,
  method,
  name,
  type Spelled,
} from './expression.ts'
import { lengthOf } from './limits.ts'
import type { Payload, Ref, StructDefinition } from './model.ts'
import { camelCase, Names, sharedStart, upperCase } from './names.ts'
import type { Plan } from './plan.ts'
import { integer, integerOf, spelledOf } from './plan-payload.ts'

/** Bytes, and of what number of bytes its place is a multiple. */
interface Extent {
  readonly size: number
  readonly align: number
}

interface Laid extends Extent {
  readonly value: Expression
}

export class Structs {
  readonly #plan: Plan
  /** Names that a header's members may not have, by struct. */
  readonly #reserved = new Map<string, ReadonlySet<string>>()
  readonly #spelledBeside = new Map<string, ReadonlySet<string>>()
  readonly #known = new Map<string, { readonly name: Expression } & Extent>()

  constructor(plan: Plan) {
    this.#plan = plan
  }

  /** Says which attributes stand beside the members of a header: our names, and the spec's. */
  reserve(header: Ref, names: Iterable<string>, spelled: Iterable<string>): void {
    const add = (map: Map<string, ReadonlySet<string>>, more: Iterable<string>): void => {
      map.set(header.text, new Set([...(map.get(header.text) ?? []), ...more]))
    }
    add(this.#reserved, names)
    add(this.#spelledBeside, spelled)
  }

  /** The struct's name in the file. */
  nameOf(ref: Ref): Expression {
    return this.#laid(ref).name
  }

  sizeOf(ref: Ref): number {
    return this.#laid(ref).size
  }

  #laid(ref: Ref): { readonly name: Expression } & Extent {
    const known = this.#known.get(ref.text)
    if (known) return known
    const definition = this.#plan.spec.definitions.get(ref.text) as StructDefinition
    const { value, size, align } = this.#struct(definition)
    const base = camelCase(definition.name)
    const declared = this.#plan.declare([base, `${base}Struct`], value, { doc: definition.doc })
    const laid = { name: declared, size, align }
    this.#known.set(ref.text, laid)
    return laid
  }

  #struct(definition: StructDefinition): Laid {
    const names = new Names(['tail', 'unknown'])
    const entries: Entry[] = []
    const spells = new Map<string, Spelled>()
    let offset = 0
    let align = 1
    let packed = 0
    const pad = (bytes: number, doc?: string): void => {
      if (bytes > 0) entries.push({ key: names.take('pad'), value: literal(bytes), doc })
      offset += bytes
    }
    for (const member of definition.members) {
      if (member.type === 'pad') {
        pad(lengthOf(this.#plan.spec, member.len as Ref), member.doc)
        packed = offset
        continue
      }
      const laid = this.#member(member)
      align = Math.max(align, laid.align)
      pad((laid.align - (offset % laid.align)) % laid.align)
      const key = names.take(this.#free(definition, member))
      entries.push({ key, value: laid.value, doc: member.doc })
      spells.set(key, this.#spelled(definition, member))
      offset += laid.size
      packed = offset
    }
    pad((align - (offset % align)) % align)
    const made = call('struct', literal(upperToSnake(definition.name)), { kind: 'object', entries })
    const value = { ...made, spells } as Expression
    // the padding at the end is not always sent
    const whole = packed === offset ? value : method(value, 'since', literal(packed))
    return { value: whole, size: offset, align }
  }

  /** A member beside which an attribute has its name is called after its struct too. */
  #free(definition: StructDefinition, member: Payload): string {
    const named = definition.members.filter(({ type }) => type !== 'pad')
    const start = sharedStart(named.map((each) => each.name))
    const own = camelCase(member.name.slice(start.length))
    const taken = this.#reserved.get(definition.name)?.has(own)
    return taken ? camelCase(`header-${own}`) : own
  }

  /** In the spec's words the two have one name: the attribute keeps it. */
  #spelled(definition: StructDefinition, member: Payload): Spelled {
    const spelled = spelledOf(this.#plan, member)
    const isTaken = this.#spelledBeside.get(definition.name)?.has(member.name)
    return isTaken ? { ...spelled, name: `header-${member.name}` } : spelled
  }

  #member(member: Payload): Laid {
    const scalar = integerOf(member.type)
    if (scalar) {
      const size = scalar.bits / 8
      return { value: integer(this.#plan, member.type, member), size, align: size }
    }
    if (member.struct) {
      const { name: value, size, align } = this.#laid(member.struct)
      return { value, size, align }
    }
    const size = member.len ? lengthOf(this.#plan.spec, member.len) : 0
    return { value: this.#bytes(member, size), size, align: isAddress(member, size) ? 4 : 1 }
  }

  #bytes({ type, hint, len }: Payload, size: number): Expression {
    const number = this.#plan.number(len as Ref, BigInt(size))
    if (type === 'string') return method(name('string'), 'fixed', number)
    if (hint === 'mac' && size === 6) return name('etherAddress')
    if (hint?.startsWith('ipv') && size === 4) return name('ipv4')
    if (hint?.startsWith('ipv') && size === 16) return name('ipv6')
    return method(name('binary'), 'exact', number)
  }
}

/** struct in6_addr and kin are made of words of 32 bits. */
function isAddress({ hint }: Payload, size: number): boolean {
  return hint?.startsWith('ipv') === true && size % 4 === 0
}

/** `--kernel-timespec` as C has it: `__kernel_timespec`. */
function upperToSnake(text: string): string {
  return upperCase(text).toLowerCase()
}
