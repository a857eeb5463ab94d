/**
 * One object that stands on one message after another: nothing is made for a message, and an
 * attribute is read when it is asked for.
 *
 * It looks into the receive buffer, so that it is good until the next message is visited.
 */
import { align4 } from '../wire/align.ts'
import { NLA_HDRLEN, NLA_TYPE_MASK } from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import { type Codec, canCompile, type Fields } from './codec.ts'
import { emitAttributeHeader, emitRead, emitSelected, References } from './compile.ts'
import { emitScan, type Scan } from './scan.ts'
import { emitMembers, type StructType } from './struct.ts'
import type { AttrSelection } from './table.ts'
import { type AnyType, type Scope, short } from './type.ts'

/**
 * Calls `visit` with the same object for each message that `scan` expects in the first `size` bytes
 * of `view`.
 * @throws DecodeError when attributes do not fit; what `visit` throws.
 */
export type Visitor = (
  view: DataView,
  size: number,
  scan: Scan,
  visit: (item: never) => void,
) => void

/** The getters of a header's members: they read where the message begins. */
function emitHeaderGetters(scope: Scope, header: StructType<any> | undefined): string {
  if (!header) return ''
  return emitMembers(scope, header.shape.fields, 'at')
    .map(
      ([name, read]) => `get ${name}() { const view = this.#view, at = this.#at; return ${read}; }`,
    )
    .join('\n')
}

function emitGetter(scope: Scope, name: string, id: number, type: AnyType): string {
  const { shape } = type
  const isPlain = shape.kind !== 'selected' && shape.kind !== 'multi'
  const read = isPlain
    ? emitRead(scope, type)
    : shape.kind === 'selected' && emitSelected(scope, type, `this.${shape.selector}`)
  if (!read) return `get ${name}() { return this.toJSON().${name}; }`
  return `get ${name}() {
    const p = this.#places[${id}];
    if (p <= this.#at) return undefined;
    const view = this.#view, e = p - ${NLA_HDRLEN} + view.getUint16(p - ${NLA_HDRLEN}, ${HOST_LE});
    return ${read};
  }`
}

/** Statements that stand on a message; what lies before it in `places` is another message's. */
function emitMove(scope: Scope, maxType: number, size: number): string {
  return `
    if (to - from < ${size}) ${scope.ref(short)}(from, to, ${size});
    item.#at = from;
    item.#end = to;
    let a = from + ${align4(size)};
    while (to - a >= ${NLA_HDRLEN}) {
      ${emitAttributeHeader(scope, 'a', 'to')}
      const id = raw & ${NLA_TYPE_MASK};
      if (id <= ${maxType}) places[id] = a + ${NLA_HDRLEN};
      a += (len + 3) & ~3;
    }
    visit(item);`
}

function emitClass(
  scope: Scope,
  selection: AttrSelection,
  header: StructType<any> | undefined,
  codec: Codec,
): string {
  const { maxType, entries } = selection.table
  const getters = entries
    .filter(({ name }) => selection.names.has(name))
    .map(({ name, id, type }) => emitGetter(scope, name, id, type))
  return `
  return class {
    #view; #at = 0; #end = 0; #places = new Int32Array(${maxType + 1});
    static scan(item, view, size, scan, visit) {
      const places = item.#places;
      places.fill(0);
      item.#view = view;
      ${emitScan(emitMove(scope, maxType, header?.size ?? 0))}
    }
    ${emitHeaderGetters(scope, header)}
    ${getters.join('\n')}
    get unknown() { return this.toJSON().unknown; }
    toJSON() { return ${scope.ref(codec)}.read(this.#view, this.#at, this.#end); }
  }`
}

type Visit = (item: never) => void
interface ItemClass {
  new (): Fields
  scan(item: object, view: DataView, size: number, scan: Scan, visit: Visit): void
}

/** A maker of visitors, each with an object of its own; undefined where no code may be generated. */
export function makeVisitor(
  selection: AttrSelection,
  header: StructType<any> | undefined,
  codec: Codec,
): (() => Visitor) | undefined {
  if (!canCompile()) return undefined
  const scope = new References()
  const build = scope.build('', emitClass(scope, selection, header, codec)) as () => ItemClass
  const Item = build()
  return () => {
    const item = new Item()
    return (view, size, scan, visit) => Item.scan(item, view, size, scan, visit)
  }
}
