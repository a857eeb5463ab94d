/** Bytes of a good message, spoilt: the ways in which a peer, or a cut buffer, would spoil them. */

/** A number of any size, the next one of its kind at each call. */
export type Random = () => number

/** Interesting values for a byte or a length. */
const EDGES = [0, 1, 3, 4, 5, 8, 0x7f, 0x80, 0xfe, 0xff]

/** `count` spoilt copies. */
export function* mutants(bytes: Uint8Array, random: Random, count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield mutate(bytes, random)
}

/** One spoilt copy: one to four changes. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let out: Uint8Array = bytes.slice()
  for (let changes = (random() % 4) + 1; changes > 0; changes--) out = change(out, random)
  return out
}

function change(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random() & 0xff)
  const at = random() % bytes.length
  switch (random() % 8) {
    case 0: // a bit
      bytes[at] = (bytes[at] as number) ^ (1 << (random() % 8))
      return bytes
    case 1:
      bytes[at] = EDGES[random() % EDGES.length] as number
      return bytes
    case 2:
      bytes[at] = random() & 0xff
      return bytes
    case 3: // a length, where attributes have theirs
      bytes[at & ~3] = random() % 40
      bytes[Math.min(bytes.length - 1, (at & ~3) + 1)] = random() % 64 === 0 ? 255 : 0
      return bytes
    case 4: // cut
      return bytes.slice(0, at)
    case 5: // a piece twice
      return insert(bytes, at & ~3, bytes.slice(at & ~3, (at & ~3) + ((random() % 8) + 1) * 4))
    case 6: // a piece less
      return remove(bytes, at & ~3, ((random() % 4) + 1) * 4)
    default: // a number of an attribute, with its flag bits
      bytes[Math.min(bytes.length - 1, (at & ~3) + 2)] = random() % 70
      bytes[Math.min(bytes.length - 1, (at & ~3) + 3)] = [0, 0x80, 0x40, 0xff][
        random() % 4
      ] as number
      return bytes
  }
}

function insert(bytes: Uint8Array, at: number, piece: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + piece.length)
  out.set(bytes.subarray(0, at))
  out.set(piece, at)
  out.set(bytes.subarray(at), at + piece.length)
  return out
}

function remove(bytes: Uint8Array, at: number, length: number): Uint8Array {
  const end = Math.min(bytes.length, at + length)
  const out = new Uint8Array(bytes.length - (end - at))
  out.set(bytes.subarray(0, at))
  out.set(bytes.subarray(end), at)
  return out
}
