/** Text of D-Bus strings: UTF-8 without a NUL, read and judged without a copy where it is ASCII. */

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
/** Up to here a loop over characters is quicker than the decoder. */
const SHORT = 48
/** The lowest bit of each byte of a word, and the highest. */
const ONES = 0x01010101
const HIGHEST = 0x80808080 | 0

/** The text of `bytes` from `start` to `end`, which is known to be UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return decoder.decode(bytes.subarray(start, end))
  let text = ''
  for (let i = start; i < end; i++) {
    const code = bytes[i]!
    if (code >= 0x80) return decoder.decode(bytes.subarray(start, end))
    text += String.fromCharCode(code)
  }
  return text
}

/** From here on a system's own judge is asked, if there is one. */
const LONG = 4096
let judge: ((bytes: Uint8Array) => boolean) | undefined

/** Lets `isLongText` say whether bytes are UTF-8 without a NUL: what the system brings is quicker. */
export function judgeLongTexts(isLongText: (bytes: Uint8Array) => boolean): void {
  judge = isLongText
}

/** Whether `bytes`, which `view` is also of, are UTF-8 without a NUL from `start` to `end`. */
export function isText(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
  if (judge !== undefined && end - start >= LONG) return judge(bytes.subarray(start, end))
  for (let i = asciiUntil(view, start, end); i < end; i++) {
    const code = bytes[i]!
    if (code === 0) return false
    if (code >= 0x80) return isWideText(bytes, i, end)
  }
  return true
}

/** Where in `view` sixteen bytes begin that are not all ASCII, or fewer are left. */
function asciiUntil(view: DataView, start: number, end: number): number {
  let at = start
  for (const last = end - 16; at <= last; at += 16) {
    const a = view.getInt32(at, true)
    const b = view.getInt32(at + 4, true)
    const c = view.getInt32(at + 8, true)
    const d = view.getInt32(at + 12, true)
    // A byte has its highest bit set if it is not ASCII, one less than it if it is NUL.
    const bits = a | (a - ONES) | b | (b - ONES) | c | (c - ONES) | d | (d - ONES)
    if (bits & HIGHEST) break
  }
  return at
}

function isWideText(bytes: Uint8Array, start: number, end: number): boolean {
  const rest = bytes.subarray(start, end)
  if (rest.includes(0)) return false
  try {
    strict.decode(rest)
    return true
  } catch {
    return false
  }
}

/** The bytes of `text`, as UTF-8. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text)
}
